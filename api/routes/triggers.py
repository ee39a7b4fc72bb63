"""Triggers: the ledger as people read it."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from api.body import OptionalBody, documented
from api.caller import COMMON, KnownCaller
from api.cancelling import cancel_trigger
from api.instants import GivenInstant
from api.outbox import SentAfter
from api.problem import refusals
from api.requests import CancelRequest, RerunRequest
from api.rerunning import rerun_trigger
from api.triggers import list_items, list_triggers, show_trigger
from api.views.listing import PageOf
from api.views.stage import ItemView
from api.views.trigger import TriggerDetail, TriggerView
from cronny.names import NAME_PATTERN
from cronny.store.filtering import Filter
from cronny.store.item_tables import ItemState
from cronny.store.tables import TriggerState

router = APIRouter(prefix="/v1/triggers", tags=["triggers"], responses=refusals(*COMMON))

OfSchedule = Annotated[str | None, Query(pattern=NAME_PATTERN, description="Only of this schedule.")]
OfAction = Annotated[str | None, Query(pattern=NAME_PATTERN, description="Only of this action.")]
InState = Annotated[list[TriggerState], Query(description="Only in this state; several are allowed.")]
ItemIn = Annotated[list[ItemState], Query(description="Only in this state; several are allowed.")]
Reason = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z_]{1,40}$", description="Only for this reason, such as `paused`.", examples=["paused"]
    ),
]
Kind = Annotated[
    Literal["manual", "scheduled"] | None,
    Query(description="`manual`: only those that were asked for, by hand, a webhook or another action."),
]
Since = Annotated[GivenInstant | None, Query(alias="from", description="Only dues at or after this instant.")]
Until = Annotated[GivenInstant | None, Query(alias="to", description="Only dues before this instant.")]
Cursor = Annotated[str | None, Query(description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]


def read_filter(
    schedule: OfSchedule = None,
    action: OfAction = None,
    state: InState = [],  # noqa: B006  # FastAPI copies it
    reason: Reason = None,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
) -> Filter:
    """Which rows are asked for."""
    is_by_hand = None if kind is None else kind == "manual"
    return Filter(schedule, action, tuple(state), reason, since, until, is_by_hand)


@router.get("", responses=refusals(HTTPStatus.UNPROCESSABLE_ENTITY))
async def get_all(
    caller: KnownCaller,
    wanted: Annotated[Filter, Depends(read_filter)],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[TriggerView]:
    """The ledger, the latest dues first."""
    return await list_triggers(caller, wanted, cursor, limit)


@router.get("/{trigger_id}", responses=refusals(HTTPStatus.NOT_FOUND))
async def get(caller: KnownCaller, trigger_id: str) -> TriggerDetail:
    """One fire: what became of it, its values and its stages."""
    return await show_trigger(caller, trigger_id)


@router.get(
    "/{trigger_id}/stages/{stage}/items",
    responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
)
async def get_items(
    caller: KnownCaller,
    trigger_id: str,
    stage: str,
    state: ItemIn = [],  # noqa: B006  # FastAPI copies it
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[ItemView]:
    """The items of a stage with `foreach`, in their order."""
    return await list_items(caller, (trigger_id, stage), state, cursor, limit)


@router.post(
    "/{trigger_id}/rerun",
    status_code=HTTPStatus.ACCEPTED,
    responses=refusals(
        HTTPStatus.NOT_FOUND,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
    openapi_extra=documented(RerunRequest, is_required=False),
)
async def rerun(caller: KnownCaller, trigger_id: str, body: OptionalBody, outbox: SentAfter) -> TriggerView:
    """Execute a trigger again from where it failed, or from chosen stages on, as a new trigger."""
    return await rerun_trigger(caller, outbox, trigger_id, body)


@router.post(
    "/{trigger_id}/cancel",
    responses={
        202: {"model": TriggerView, "description": "Its stages are being cancelled"},
        **refusals(
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
        ),
    },
    openapi_extra=documented(CancelRequest, is_required=False),
)
async def cancel(
    caller: KnownCaller, trigger_id: str, body: OptionalBody, outbox: SentAfter, response: Response
) -> TriggerView:
    """End a trigger: one that has not begun never will, one that executes ends in order or at once."""
    found = await cancel_trigger(caller, outbox, trigger_id, body)
    if found.state is TriggerState.EXECUTING:
        response.status_code = HTTPStatus.ACCEPTED
    return found
