"""The first and the last instant that a rule may fire at."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronny.scheduling.walltime import Clocks
from dsl.recurrence import FIRST_YEAR, LAST_YEAR, Moment

TICK = timedelta(microseconds=1)  # the resolution of instants: the step from `at` to `strictly after`
EARLIEST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
LATEST = datetime(LAST_YEAR, 12, 31, 23, 59, 59, tzinfo=UTC)  # where every search ends


@dataclass(frozen=True)
class Bounds:
    """The instants from `first` to `last`, both included."""

    first: datetime
    last: datetime


def bounds(start: Moment | None, end: Moment | None, zone: ZoneInfo) -> Bounds:
    """The bounds that a schedule states, or else those of all searches; an end date is included whole."""
    first = EARLIEST if start is None else start_instant(start, zone)
    last = LATEST if end is None else _end_instant(end, zone)
    return Bounds(max(first, EARLIEST), min(last, LATEST))


def start_instant(start: Moment, zone: ZoneInfo) -> datetime:
    """The instant that a start means: of a date its first, of a wall time that occurs twice the earlier."""
    if isinstance(start, datetime) and start.tzinfo:
        return start.astimezone(UTC)
    wall = start if isinstance(start, datetime) else datetime.combine(start, time.min)
    return Clocks(zone).instants(wall)[0]


def _end_instant(end: Moment, zone: ZoneInfo) -> datetime:
    if isinstance(end, datetime) and end.tzinfo:
        return end.astimezone(UTC)
    clocks = Clocks(zone, overlap="last")
    if isinstance(end, datetime):
        return clocks.instants(end)[0]
    return clocks.instants(datetime.combine(end, time.min) + timedelta(days=1))[0] - TICK


def whole_second(instant: datetime) -> datetime:
    """The instant, or the next whole second, so that what is counted from it is never early."""
    return instant.astimezone(UTC) + timedelta(microseconds=-instant.microsecond % 1_000_000)
