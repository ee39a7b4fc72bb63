"""Values of the ledger, each alone and of any size."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi import Path as InPath
from starlette.responses import Response

from api.caller import COMMON, KnownCaller
from api.problem import refusals
from api.values import Wanted, send_outputs, send_value

router = APIRouter(prefix="/v1/triggers", tags=["triggers"], responses=refusals(*COMMON))

Value = Annotated[Literal["input", "output"], InPath(description="Which of its values.")]
Item = Annotated[int, InPath(ge=0, le=10**9, description="The number of the item, from 0.")]
ANY: dict[int | str, dict[str, Any]] = {
    200: {"description": "The value, as JSON", "content": {"application/json": {}}}
}


@router.get(
    "/{trigger_id}/outputs", response_class=Response, responses={**ANY, **refusals(HTTPStatus.NOT_FOUND)}
)
async def get_outputs(caller: KnownCaller, trigger_id: str) -> Response:
    """What a trigger gave, whatever its size: it is sent as it is read."""
    return await send_outputs(caller, trigger_id)


@router.get(
    "/{trigger_id}/stages/{stage}/values/{value}",
    response_class=Response,
    responses={**ANY, **refusals(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)},
)
async def get_of_stage(caller: KnownCaller, trigger_id: str, stage: str, value: Value) -> Response:
    """What a stage got or gave, whatever its size: it is sent as it is read."""
    return await send_value(caller, Wanted(trigger_id, stage, value))


@router.get(
    "/{trigger_id}/stages/{stage}/items/{item}/values/{value}",
    response_class=Response,
    responses={**ANY, **refusals(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)},
)
async def get_of_item(caller: KnownCaller, trigger_id: str, stage: str, item: Item, value: Value) -> Response:
    """What an item of a stage got or gave, whatever its size: it is sent as it is read."""
    return await send_value(caller, Wanted(trigger_id, stage, value, item))
