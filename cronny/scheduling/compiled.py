"""A schedule's rule, ready to be asked for its fires."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Protocol
from zoneinfo import ZoneInfo

from cronny.scheduling.bounds import EARLIEST, LATEST, bounds, start_instant, whole_second
from cronny.scheduling.calendar import Calendar
from cronny.scheduling.datesets import DateSet
from cronny.scheduling.days import Days
from cronny.scheduling.instants import Instants
from cronny.scheduling.interval import Interval
from cronny.scheduling.walltime import Clocks
from dsl.recurrence import Moment, Period
from dsl.schedule import Schedule
from dsl.zones import zone


class Compiled(Protocol):
    """The fires of one schedule, in order, without duplicates; all instants are aware and in UTC."""

    def next(self, after: datetime) -> datetime | None:
        """The first due strictly after `after`, or None if the schedule has ended."""

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""

    def count(self, after: datetime, until: datetime) -> int:
        """How many dues lie in (after, until]."""

    def latest(self, after: datetime, until: datetime, limit: int) -> tuple[datetime, ...]:
        """The last `limit` dues in (after, until], in order."""

    def local(self, instant: datetime) -> datetime:
        """The instant on the clocks of the schedule's zone."""


def compile_schedule(
    schedule: Schedule, anchor: datetime, calendars: Mapping[str, DateSet] = MappingProxyType({})
) -> Compiled:
    """The rule of a schedule first saved at `anchor`; delays, intervals and steps count from there."""
    place = zone(schedule.timezone)
    anchor = min(max(anchor, EARLIEST), LATEST)  # so that nothing counted from it leaves the calendar
    clocks = Clocks(place, schedule.dst_gap, schedule.dst_overlap)
    match schedule.every, schedule.at:
        case timedelta() as period, _:
            return _interval(schedule, period, whole_second(anchor), place)
        case Period() as period, tuple() as times:
            days = Days(period, schedule.on, _origin(schedule.start or anchor, place))
            return Calendar(days, times, clocks, bounds(schedule.start, schedule.end, place))
        case None, timedelta() as delay:
            return Instants((whole_second(anchor) + delay,), place)
        case None, datetime() as moment:
            dues = (moment.astimezone(UTC),) if moment.tzinfo else clocks.instants(moment)
            return Instants(dues, place)
    raise ValueError("a schedule has a period, a date or a delay")


def never_fires(compiled: Compiled, after: datetime) -> bool:
    """Whether no due lies after `after`."""
    return compiled.next(after) is None


def upcoming(compiled: Compiled, after: datetime, count: int) -> list[datetime]:
    """The first `count` dues after `after`, fewer where the schedule ends."""
    dues: list[datetime] = []
    while len(dues) < count and (due := compiled.next(after)) is not None:
        dues.append(due)
        after = due
    return dues


def _interval(schedule: Schedule, period: timedelta, anchor: datetime, place: ZoneInfo) -> Interval:
    """An interval begins at its start, or one period after it was saved."""
    first = anchor + period if schedule.start is None else start_instant(schedule.start, place)
    return Interval(first, period, bounds(None, schedule.end, place).last, place)


def _origin(moment: Moment, place: ZoneInfo) -> date:
    """The date from which the periods of a calendar rule are counted."""
    if not isinstance(moment, datetime):
        return moment
    return (moment.astimezone(place) if moment.tzinfo else moment).date()
