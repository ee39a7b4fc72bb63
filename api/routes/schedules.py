"""Schedules: write, look at, pause, resume, trigger."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.body import OptionalBody, SentBody, documented
from api.caller import COMMON, KnownCaller
from api.instants import GivenInstant
from api.names import KnownName, NewName
from api.outbox import SentAfter
from api.previewing import preview_schedule
from api.problem import refusals
from api.requests import PauseRequest, PreviewRequest, ResumeRequest, RunRequest, ScheduleRequest
from api.schedules import (
    delete_schedule,
    list_schedules,
    pause_schedule,
    put_schedule,
    resume_schedule,
    show_schedule,
    show_upcoming,
    trigger_schedule,
)
from api.views.listing import Listing
from api.views.preview import Preview
from api.views.schedule import SavedSchedule, ScheduleView, Upcoming
from api.views.trigger import TriggerView

MOST = 200  # fires in one answer
_MISSING = refusals(HTTPStatus.NOT_FOUND)
_REFUSED = refusals(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)

router = APIRouter(prefix="/v1/schedules", tags=["schedules"], responses=refusals(*COMMON))


After = Annotated[
    GivenInstant | None,
    Query(description="Only fires after this instant, RFC 3339; now, unless given."),
]
Count = Annotated[int, Query(ge=1, le=MOST, description="How many fires at most.")]


@router.put(
    "/{name}",
    responses={
        201: {"model": SavedSchedule, "description": "Created"},
        **refusals(HTTPStatus.CONFLICT),
        **_REFUSED,
    },
    openapi_extra=documented(ScheduleRequest),
)
async def put(
    caller: KnownCaller, name: NewName, body: SentBody, outbox: SentAfter, response: Response
) -> SavedSchedule:
    """Write a schedule; the same again changes nothing, another rule counts from now on.

    What the former rule has in the ledger and has not begun becomes `skipped: superseded`. A pause stays,
    and so does what was asked of single fires; `void_changes` names the dues that the rule has no more.
    A schedule that is written in an action can only be changed there.
    """
    view, change = await put_schedule(caller, outbox, name, body)
    if change == "created":
        response.status_code = HTTPStatus.CREATED
    return view


@router.post("/preview", responses=_REFUSED, openapi_extra=documented(PreviewRequest))
async def preview(caller: KnownCaller, body: SentBody) -> Preview:
    """What a rule would do, before it is saved: its next fires and, with a `name`, what it changes there.

    Nothing is written. A rule that could not be saved is refused in the same way.
    """
    return await preview_schedule(caller, body)


@router.get("")
async def get_all(caller: KnownCaller) -> Listing[ScheduleView]:
    """Every schedule, by name."""
    return await list_schedules(caller)


@router.get("/{name}", responses=_MISSING)
async def get(caller: KnownCaller, name: KnownName) -> ScheduleView:
    """A schedule as it stands."""
    return await show_schedule(caller, name)


@router.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses={**_MISSING, **refusals(HTTPStatus.CONFLICT)},
)
async def delete(caller: KnownCaller, name: KnownName, outbox: SentAfter) -> None:
    """Take a schedule away; its ledger stays."""
    await delete_schedule(caller, outbox, name)


@router.post(
    "/{name}/pause",
    responses={**_MISSING, **_REFUSED},
    openapi_extra=documented(PauseRequest, is_required=False),
)
async def pause(caller: KnownCaller, name: KnownName, body: OptionalBody, outbox: SentAfter) -> ScheduleView:
    """Stop firing from this instant on: what has not begun becomes `skipped: paused`.

    With `until`, the schedule fires again by itself.
    """
    return await pause_schedule(caller, outbox, name, body)


@router.post(
    "/{name}/resume",
    responses={**_MISSING, **_REFUSED},
    openapi_extra=documented(ResumeRequest, is_required=False),
)
async def resume(caller: KnownCaller, name: KnownName, body: OptionalBody, outbox: SentAfter) -> ScheduleView:
    """Fire again; what fell into the pause is recorded as skipped, or caught up if asked for."""
    return await resume_schedule(caller, outbox, name, body)


@router.post(
    "/{name}/trigger",
    status_code=HTTPStatus.ACCEPTED,
    responses={**_MISSING, **_REFUSED},
    openapi_extra=documented(RunRequest, is_required=False),
)
async def trigger(caller: KnownCaller, name: KnownName, body: OptionalBody, outbox: SentAfter) -> TriggerView:
    """Trigger the schedule's action now, paused or not."""
    return await trigger_schedule(caller, outbox, name, body)


@router.get("/{name}/upcoming", responses={**_MISSING, **refusals(HTTPStatus.UNPROCESSABLE_ENTITY)})
async def upcoming(caller: KnownCaller, name: KnownName, count: Count = 10, after: After = None) -> Upcoming:
    """The next fires."""
    return await show_upcoming(caller, name, after, count)
