"""Variables: write, look at, delete."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from api.body import SentBody, documented
from api.caller import COMMON, KnownCaller
from api.names import KnownOutsideName, NewOutsideName
from api.problem import refusals
from api.requests import Force, VariableRequest
from api.variables import delete_variable, list_variables, put_variable, show_variable
from api.views.listing import Listing
from api.views.variable import VariableDetail, VariableView

router = APIRouter(prefix="/v1/vars", tags=["vars"], responses=refusals(*COMMON))


@router.put(
    "/{name}",
    responses={
        201: {"model": VariableView, "description": "Created"},
        **refusals(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
    },
    openapi_extra=documented(VariableRequest),
)
async def put(caller: KnownCaller, name: NewOutsideName, body: SentBody, response: Response) -> VariableView:
    """Give a variable a value, any JSON but null; what runs from now on sees it. The same changes nothing.

    Variables are no place for what is secret: everybody of the tenant reads them.
    """
    view = await put_variable(caller, name, body)
    if view.revision == 1:
        response.status_code = HTTPStatus.CREATED
    return view


@router.get("")
async def get_all(caller: KnownCaller) -> Listing[VariableView]:
    """Every variable, by name."""
    return await list_variables(caller)


@router.get("/{name}", responses=refusals(HTTPStatus.NOT_FOUND))
async def get(caller: KnownCaller, name: KnownOutsideName) -> VariableDetail:
    """A variable and the actions that use it."""
    return await show_variable(caller, name)


@router.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def delete(caller: KnownCaller, name: KnownOutsideName, force: Force = False) -> None:
    """Forget a variable that no action uses; with `force`, stages that use it fail from now on."""
    await delete_variable(caller, name, force)
