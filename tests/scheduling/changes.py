"""Where the clocks of a zone were changed, found by looking at its offsets from day to day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_BEGIN = datetime(1975, 1, 1, tzinfo=UTC)  # offsets are whole minutes since then
_LOOKS = 63 * 27
_APART = timedelta(weeks=2)


@dataclass(frozen=True)
class Change:
    """From `instant` on the offset is `after`; until then it was `before`."""

    zone: ZoneInfo
    instant: datetime
    before: timedelta
    after: timedelta

    @property
    def is_gap(self) -> bool:
        return self.after > self.before

    @property
    def walls(self) -> tuple[datetime, datetime]:
        """What the clocks show at the change, by the old and the new offset; the smaller first."""
        naive = self.instant.replace(tzinfo=None)
        first, second = sorted((naive + self.before, naive + self.after))
        return first, second


def changes(zone: ZoneInfo) -> Iterator[Change]:
    looks = [_BEGIN + number * _APART for number in range(_LOOKS)]
    offsets = [_offset(zone, look) for look in looks]
    for look, before, after in zip(looks[:-1], offsets[:-1], offsets[1:], strict=True):
        if before != after:
            yield Change(zone, _minute_of_change(zone, look, before), before, after)


def _minute_of_change(zone: ZoneInfo, look: datetime, before: timedelta) -> datetime:
    for step in (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)):
        while _offset(zone, look + step) == before:
            look += step
    return look + timedelta(minutes=1)


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
