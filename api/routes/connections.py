"""Connections: write, look at, test, delete."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from api.body import SentBody, documented
from api.caller import COMMON, KnownCaller
from api.connections import (
    check_connection,
    delete_connection,
    list_connections,
    put_connection,
    show_connection,
)
from api.names import KnownName, NewName
from api.problem import refusals
from api.requests import ConnectionRequest, Force
from api.views.connection import ConnectionTest, ConnectionView
from api.views.listing import Listing

router = APIRouter(prefix="/v1/connections", tags=["connections"], responses=refusals(*COMMON))


@router.put(
    "/{name}",
    responses={
        201: {"model": ConnectionView, "description": "Created"},
        **refusals(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
    },
    openapi_extra=documented(ConnectionRequest),
)
async def put(caller: KnownCaller, name: NewName, body: SentBody, response: Response) -> ConnectionView:
    """Write a connection. It replaces the whole: a secret that is not sent is not kept.

    Secrets are sealed at once and are in no answer. The kind can change only while no action uses it.
    """
    view = await put_connection(caller, name, body)
    if view.revision == 1:
        response.status_code = HTTPStatus.CREATED
    return view


@router.get("")
async def get_all(caller: KnownCaller) -> Listing[ConnectionView]:
    """Every connection, by name."""
    return await list_connections(caller)


@router.get("/{name}", responses=refusals(HTTPStatus.NOT_FOUND))
async def get(caller: KnownCaller, name: KnownName) -> ConnectionView:
    """A connection without its secrets."""
    return await show_connection(caller, name)


@router.post(
    "/{name}/test",
    responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def test(caller: KnownCaller, name: KnownName) -> ConnectionTest:
    """Have a worker of the tenant reach the server with these credentials; nothing is changed there.

    Answers 200 whatever it finds, and 409 for a kind that has no test.
    """
    return await check_connection(caller, name)


@router.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def delete(caller: KnownCaller, name: KnownName, force: Force = False) -> None:
    """Forget a connection that no action uses; with `force`, stages that use it fail from now on."""
    await delete_connection(caller, name, force)
