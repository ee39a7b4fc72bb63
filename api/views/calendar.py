"""What the API shows of a calendar."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from pydantic import Field

from api.views.listing import View
from cronny.calendars.content import Kind
from cronny.store.tenant_tables import CalendarRow


class CalendarSummary(View):
    """A calendar as a list shows it."""

    name: str
    kind: Kind = Field(description="`dates`, `ical` or `holidays`.")
    revision: int = Field(description="Counts the times it was written.")
    created: datetime
    updated: datetime


class CalendarView(CalendarSummary):
    """A calendar with its text."""

    source: str = Field(description="The text as it was written.")
    used_by: tuple[str, ...] = Field(description="The schedules whose rule names it.")


class CalendarDate(View):
    """One date of a calendar."""

    date: date
    name: str = Field(description="Such as `Christmas Day`; empty where none was given.")


class CalendarDatesView(View):
    """The dates of a calendar between two days, both included."""

    calendar: str
    first: date
    last: date
    dates: tuple[CalendarDate, ...]


def summarise_calendar(row: CalendarRow) -> CalendarSummary:
    """A calendar without its text."""
    return CalendarSummary.model_validate({
        "name": row.name,
        "kind": row.kind,
        "revision": row.revision,
        "created": row.created_at,
        "updated": row.updated_at,
    })  # fmt: skip


def view_calendar(row: CalendarRow, users: Sequence[str]) -> CalendarView:
    """A calendar alone."""
    return CalendarView(**summarise_calendar(row).model_dump(), source=row.source, used_by=tuple(users))


def view_dates(name: str, first: date, last: date, found: Iterable[tuple[date, str]]) -> CalendarDatesView:
    """The dates of a calendar."""
    dates = tuple(CalendarDate(date=day, name=named) for day, named in found)
    return CalendarDatesView(calendar=name, first=first, last=last, dates=dates)
