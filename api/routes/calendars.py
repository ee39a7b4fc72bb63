"""Calendars: write, look at, delete."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator

from api.body import RawBody
from api.calendars import delete_calendar, list_calendars, put_calendar, show_calendar, show_dates
from api.caller import COMMON, KnownCaller
from api.names import KnownName, NewName
from api.outbox import SentAfter
from api.problem import refusals
from api.views.calendar import CalendarDatesView, CalendarSummary, CalendarView
from api.views.listing import Listing
from dsl.recurrence import FIRST_YEAR, LAST_YEAR

router = APIRouter(prefix="/v1/calendars", tags=["calendars"], responses=refusals(*COMMON))

TEXT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/yaml": {
                "schema": {"type": "string"},
                "examples": {
                    "dates": {"value": "dates: [2026-12-24, 2026-12-27 to 2026-12-31]"},
                    "holidays": {"value": "holidays: {country: GB, subdivision: ENG}"},
                },
            },
            "application/json": {"schema": {"type": "object"}},
            "text/calendar": {"schema": {"type": "string"}},
        },
    }
}


def _within_reach(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"must lie between {FIRST_YEAR} and {LAST_YEAR}")
    return day


Day = Annotated[date | None, AfterValidator(lambda day: day and _within_reach(day))]
First = Annotated[Day, Query(alias="from", description="The first day; today, unless given.")]
Last = Annotated[Day, Query(alias="to", description="The last day; a year later, unless given.")]


@router.put(
    "/{name}",
    responses={
        201: {"model": CalendarView, "description": "Created"},
        **refusals(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
    },
    openapi_extra=TEXT,
)
async def put(
    caller: KnownCaller, name: NewName, raw: RawBody, outbox: SentAfter, response: Response
) -> CalendarView:
    """Write a calendar: a list of dates, the public holidays of a country, or an iCalendar file.

    It takes effect at once: fires in the ledger that have not begun and that the schedules which name it
    no longer have become `skipped: superseded`. The same text again changes nothing.
    """
    view, is_new = await put_calendar(caller, outbox, name, raw)
    if is_new:
        response.status_code = HTTPStatus.CREATED
    return view


@router.get("")
async def get_all(caller: KnownCaller) -> Listing[CalendarSummary]:
    """Every calendar, by name."""
    return await list_calendars(caller)


@router.get("/{name}", responses=refusals(HTTPStatus.NOT_FOUND))
async def get(caller: KnownCaller, name: KnownName) -> CalendarView:
    """A calendar with its text and the schedules that name it."""
    return await show_calendar(caller, name)


@router.get("/{name}/dates", responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY))
async def dates(
    caller: KnownCaller, name: KnownName, first: First = None, last: Last = None
) -> CalendarDatesView:
    """The dates of a calendar between two days, both included; ten years at the most."""
    return await show_dates(caller, name, first, last)


@router.delete(
    "/{name}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def delete(caller: KnownCaller, name: KnownName) -> None:
    """Forget a calendar that no schedule names."""
    await delete_calendar(caller, name)
