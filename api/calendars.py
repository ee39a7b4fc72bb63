"""What is done with calendars; a change of one takes effect like a change of the rules that name it."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

from pydantic import JsonValue

from api.caller import Caller
from api.outbox import Outbox
from api.views.calendar import (
    CalendarDatesView,
    CalendarSummary,
    CalendarView,
    summarise_calendar,
    view_calendar,
    view_dates,
)
from api.views.listing import Listing
from cronny.calendars import read_calendar
from cronny.errors import Conflict, Invalid
from cronny.store.calendars import mark_of
from cronny.store.history import note_saved
from cronny.store.tables import EventKind, ScheduleRow
from cronny.store.tenant_store import TenantStore
from cronny.store.tenant_tables import CalendarRow
from dsl.problems import Problem

YEAR = timedelta(days=365)
LONGEST = timedelta(days=3660)  # that one answer covers


async def put_calendar(caller: Caller, outbox: Outbox, name: str, raw: bytes) -> tuple[CalendarView, bool]:
    """Make a calendar what a text says, and whether it is new; raises Invalid with every problem."""
    # Reading takes up to a second: other requests go on.
    content, problems = await asyncio.to_thread(read_calendar, raw)
    if content is None:
        raise Invalid(problems)
    model = content.model_dump(mode="json")
    async with caller.write() as store:
        before = await store.calendars.marks([name])
        row, is_other = await store.calendars.save(
            name, content.kind, raw.decode("utf-8-sig"), model, store.now
        )
        if not before or before[0] != mark_of(row):
            await store.note(EventKind.CALENDAR_SAVED, details=_details(row))
        renewed = await _renew_users(store, row) if is_other else ()
        users = [schedule.name for schedule in await store.schedules.using(name)]
    for schedule, action in renewed:
        outbox.changed(caller.tenant, schedule, action)
    return view_calendar(row, users), not before


async def list_calendars(caller: Caller) -> Listing[CalendarSummary]:
    """Every calendar, by name."""
    async with caller.read() as store:
        rows = await store.calendars.all()
    return Listing(items=tuple(summarise_calendar(row) for row in rows))


async def show_calendar(caller: Caller, name: str) -> CalendarView:
    """A calendar with its text; raises NotFound."""
    async with caller.read() as store:
        row = await store.calendars.get(name)
        users = await store.schedules.using(name)
    return view_calendar(row, [schedule.name for schedule in users])


async def show_dates(caller: Caller, name: str, first: date | None, last: date | None) -> CalendarDatesView:
    """The dates of a calendar between two days, from today for a year unless given; raises NotFound."""
    async with caller.read() as store:
        row = await store.calendars.get(name)
        first = first or store.now.date()
    last = last or first + YEAR
    if not timedelta(0) <= last - first <= LONGEST:
        what = "lies before 'from'" if last < first else f"is more than {LONGEST.days} days after 'from'"
        raise Invalid([Problem("query.to", what)])
    dates = caller.parts.rules.dates({mark_of(row): row.model})[name]
    return view_dates(name, first, last, await asyncio.to_thread(list, dates.between(first, last)))


async def delete_calendar(caller: Caller, name: str) -> None:
    """Forget a calendar; raises NotFound, and Conflict while a schedule names it."""
    async with caller.write() as store:
        row = await store.calendars.get(name, is_locked=True)
        users = await store.schedules.using(name)
        if users:
            names = ", ".join(f"'{schedule.name}'" for schedule in users)
            raise Conflict(f"the calendar '{name}' cannot be deleted: it is used by {names}")
        await store.calendars.delete(row)
        await store.note(EventKind.CALENDAR_DELETED, details=_details(row))


async def _renew_users(store: TenantStore, row: CalendarRow) -> Sequence[tuple[ScheduleRow, str]]:
    """Start a new generation of every schedule that names the calendar; each with its action."""
    renewed = []
    for schedule in await store.schedules.using(row.name):
        fresh = await store.schedules.renew(schedule.name, store.now)
        await note_saved(store, fresh, is_new=False, note=f"calendar '{row.name}' changed")
        renewed.append((fresh, (await store.actions.of(fresh)).name))
    return renewed


def _details(row: CalendarRow) -> dict[str, JsonValue]:
    return {"calendar": row.name, "revision": row.revision}
