"""Triggers: the ledger as people read it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from api.caller import COMMON, KnownCaller
from api.problem import refusals
from api.triggers import list_triggers, show_trigger
from api.views.listing import PageOf
from api.views.trigger import TriggerDetail, TriggerView
from cronny.names import NAME_PATTERN
from cronny.store.tables import TriggerState
from cronny.store.triggers import Filter

router = APIRouter(prefix="/v1/triggers", tags=["triggers"], responses=refusals(*COMMON))

OfSchedule = Annotated[str | None, Query(pattern=NAME_PATTERN, description="Only of this schedule.")]
OfAction = Annotated[str | None, Query(pattern=NAME_PATTERN, description="Only of this action.")]
InState = Annotated[list[TriggerState], Query(description="Only in this state; several are allowed.")]
Cursor = Annotated[str | None, Query(description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]


@router.get("", responses=refusals(HTTPStatus.UNPROCESSABLE_ENTITY))
async def get_all(
    caller: KnownCaller,
    schedule: OfSchedule = None,
    action: OfAction = None,
    state: InState = [],  # noqa: B006  # FastAPI copies it
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[TriggerView]:
    """The ledger, the latest dues first."""
    return await list_triggers(caller, Filter(schedule, action, tuple(state)), cursor, limit)


@router.get("/{trigger_id}", responses=refusals(HTTPStatus.NOT_FOUND))
async def get(caller: KnownCaller, trigger_id: str) -> TriggerDetail:
    """One fire: what became of it, its values and its stages."""
    return await show_trigger(caller, trigger_id)
