"""Events: who did what, and why."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from api.caller import COMMON, KnownCaller
from api.events import list_events
from api.problem import refusals
from api.routes.triggers import Cursor, Limit
from api.views.event import EventView
from api.views.listing import PageOf
from cronny.names import NAME_PATTERN
from cronny.store.events import EventFilter
from cronny.store.tables import EventKind

router = APIRouter(prefix="/v1/events", tags=["events"], responses=refusals(*COMMON))

OfSchedule = Annotated[str | None, Query(pattern=NAME_PATTERN, description="Only about this schedule.")]
OfAction = Annotated[
    str | None, Query(pattern=NAME_PATTERN, description="Only about this action, its schedules and triggers.")
]
OfTrigger = Annotated[
    str | None, Query(pattern=r"^trg_[a-z0-9]{1,60}$", description="Only about the trigger of this id.")
]
OfKind = Annotated[list[EventKind], Query(description="Only of this kind; several are allowed.")]


@router.get("", responses=refusals(HTTPStatus.UNPROCESSABLE_ENTITY))
async def get_all(
    caller: KnownCaller,
    schedule: OfSchedule = None,
    action: OfAction = None,
    trigger: OfTrigger = None,
    kind: OfKind = [],  # noqa: B006  # FastAPI copies it
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[EventView]:
    """What was done, the latest first."""
    return await list_events(caller, EventFilter(schedule, action, trigger, tuple(kind)), cursor, limit)
