"""API keys: make, list, revoke."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from api.body import SentBody, documented
from api.caller import COMMON, KnownCaller
from api.keys import create_key, list_keys, revoke_key
from api.problem import refusals
from api.requests import KeyRequest
from api.views.key import CreatedKey, KeyView
from api.views.listing import Listing

router = APIRouter(prefix="/v1/keys", tags=["keys"], responses=refusals(*COMMON))

NameOrId = Annotated[str, Path(max_length=100, description="The name of a key, or its id.")]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    responses=refusals(
        HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
    openapi_extra=documented(KeyRequest),
)
async def post(caller: KnownCaller, body: SentBody) -> CreatedKey:
    """Make a key with a role, or with some of its scopes. It is shown in this answer and never again.

    `viewer` looks at everything but keys; `operator` pauses, skips, runs and tests besides; `editor` writes
    actions and what they use; `admin` makes keys. Nobody can give what their own key lacks.
    """
    return await create_key(caller, body)


@router.get("")
async def get_all(caller: KnownCaller) -> Listing[KeyView]:
    """Every key, by name."""
    return await list_keys(caller)


@router.delete(
    "/{key}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY),
)
async def delete(caller: KnownCaller, key: NameOrId) -> None:
    """Take a key back at once; the last one of role admin stays, or nobody could make another."""
    await revoke_key(caller, key)
