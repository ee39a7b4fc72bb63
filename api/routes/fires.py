"""Single fires of a schedule: leave out, move, give other inputs, undo."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from api.body import OptionalBody, SentBody, documented
from api.caller import COMMON, KnownCaller
from api.fires import give_fire_inputs, list_changes, move_fire, restore_fire, skip_fire
from api.instants import GivenInstant
from api.names import KnownName
from api.outbox import SentAfter
from api.problem import refusals
from api.requests import FireInputsRequest, MoveRequest, NoteRequest
from api.views.fire import FireChangeView
from api.views.listing import Listing

_REFUSED = refusals(
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)

router = APIRouter(prefix="/v1/schedules", tags=["schedules"], responses=refusals(*COMMON))

Due = Annotated[GivenInstant, Path(description="The nominal instant of the fire, RFC 3339.")]


@router.get("/{name}/fires", responses=refusals(HTTPStatus.NOT_FOUND))
async def get_changes(caller: KnownCaller, name: KnownName) -> Listing[FireChangeView]:
    """What was asked of single fires that are still to come."""
    return await list_changes(caller, name)


@router.post(
    "/{name}/fires/{due}/skip",
    responses=_REFUSED,
    openapi_extra=documented(NoteRequest, is_required=False),
)
async def skip(caller: KnownCaller, name: KnownName, due: Due, body: OptionalBody) -> FireChangeView:
    """Leave a single fire out: it becomes `skipped: operator`. An edit of the schedule does not lose that."""
    return await skip_fire(caller, name, due, body)


@router.post("/{name}/fires/{due}/move", responses=_REFUSED, openapi_extra=documented(MoveRequest))
async def move(caller: KnownCaller, name: KnownName, due: Due, body: SentBody) -> FireChangeView:
    """Let a single fire happen at another instant; its nominal due stays."""
    return await move_fire(caller, name, due, body)


@router.post("/{name}/fires/{due}/inputs", responses=_REFUSED, openapi_extra=documented(FireInputsRequest))
async def inputs(caller: KnownCaller, name: KnownName, due: Due, body: SentBody) -> FireChangeView:
    """Give a single fire other inputs, above those of its schedule."""
    return await give_fire_inputs(caller, name, due, body)


@router.delete("/{name}/fires/{due}", status_code=HTTPStatus.NO_CONTENT, responses=_REFUSED)
async def undo(caller: KnownCaller, name: KnownName, due: Due, outbox: SentAfter) -> None:
    """Undo everything that was asked of a single fire."""
    await restore_fire(caller, outbox, name, due)
