"""Secrets: write, look at, delete."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from api.body import SentBody, documented
from api.caller import COMMON, KnownCaller
from api.names import KnownOutsideName, NewOutsideName
from api.problem import refusals
from api.requests import Force, SecretRequest
from api.secrets import delete_secret, list_secrets, put_secret, show_secret
from api.views.listing import Listing
from api.views.secret import SecretDetail, SecretView

router = APIRouter(prefix="/v1/secrets", tags=["secrets"], responses=refusals(*COMMON))


@router.put(
    "/{name}",
    responses={
        201: {"model": SecretView, "description": "Created"},
        **refusals(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
    },
    openapi_extra=documented(SecretRequest),
)
async def put(caller: KnownCaller, name: NewOutsideName, body: SentBody, response: Response) -> SecretView:
    """Set a secret, a text. It is sealed at once, and no answer contains it, to whomever.

    Expressions inside `with` use it as `secrets.<name>`; it is masked in whatever is recorded of a stage.
    """
    view = await put_secret(caller, name, body)
    if view.revision == 1:
        response.status_code = HTTPStatus.CREATED
    return view


@router.get("")
async def get_all(caller: KnownCaller) -> Listing[SecretView]:
    """Every secret, by name; what they are is told to nobody."""
    return await list_secrets(caller)


@router.get("/{name}", responses=refusals(HTTPStatus.NOT_FOUND))
async def get(caller: KnownCaller, name: KnownOutsideName) -> SecretDetail:
    """A secret and the actions that use it."""
    return await show_secret(caller, name)


@router.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def delete(caller: KnownCaller, name: KnownOutsideName, force: Force = False) -> None:
    """Forget a secret that no action uses; with `force`, stages that use it fail from now on."""
    await delete_secret(caller, name, force)
