"""The instants that a person may mean: an instant, or a wall time of the schedule's zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronny.scheduling.walltime import Clocks

_DAY = timedelta(days=1)
_UNITS = {
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "instant": timedelta(microseconds=1),
}
_AT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](?P<time>\d\d:\d\d(?P<second>:\d\d(?P<fraction>\.\d{1,6})?)?)"
    r"(?P<offset>[Zz]|[-+ ]\d\d:?\d\d)?)?",  # a `+` in a URL that nobody escaped is a space
    re.ASCII,
)


@dataclass(frozen=True)
class Span:
    """The instants from `first` until just before `end`."""

    first: datetime
    end: datetime

    def has(self, instant: datetime) -> bool:
        """Whether the instant is one of them."""
        return self.first <= instant < self.end


@dataclass(frozen=True)
class Asked:
    """What was asked for; two spans where clocks show the wall time twice."""

    text: str
    spans: tuple[Span, ...]
    gap: datetime | None = None  #: The wall time that the clocks skip; the span is where they go on.

    @property
    def first(self) -> datetime:
        """The first instant that may be meant."""
        return self.spans[0].first

    @property
    def end(self) -> datetime:
        """The instant after the last that may be meant."""
        return self.spans[-1].end


def read_asked(text: str, zone: ZoneInfo) -> Asked:
    """The day, minute, second or instant that a text names; raises ValueError for any other text."""
    match = _AT.fullmatch(text.strip())
    if match is None:
        raise ValueError("no instant")
    day = date.fromisoformat(match["day"])
    if not date(1970, 1, 2) <= day < date(2999, 12, 31):
        raise ValueError("out of reach")
    if match["time"] is None:
        return Asked(text, (Span(_start(day, zone), _start(day + _DAY, zone)),))
    wall = datetime.combine(day, time.fromisoformat(match["time"]))
    unit = _UNITS["instant" if match["fraction"] else "second" if match["second"] else "minute"]
    if match["offset"]:
        offset = match["offset"].upper().replace(" ", "+")
        instant = datetime.fromisoformat(f"{wall.isoformat()}{offset}").astimezone(UTC)
        return Asked(text, (Span(instant, instant + unit),))
    instants = Clocks(zone, gap="skip", overlap="both").instants(wall)
    if not instants:
        (after,) = Clocks(zone).instants(wall)
        return Asked(text, (Span(after, after + unit),), gap=wall)
    return Asked(text, tuple(Span(instant, instant + unit) for instant in instants))


def _start(day: date, zone: ZoneInfo) -> datetime:
    return Clocks(zone).instants(datetime.combine(day, time.min))[0]
