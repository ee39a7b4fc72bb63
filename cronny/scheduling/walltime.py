"""From the wall times of a zone to instants, also where its clocks are changed."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

Gap = Literal["next", "skip"]
Overlap = Literal["first", "last", "both"]
ClockChange = Literal["gap", "overlap"]

_TICK = timedelta(seconds=1)
_DAY = timedelta(days=1)
_BLOCK = 16  # days that are looked at together: nearly all of them have one offset
_HALVES = timedelta(hours=12)
_KEPT = 8192  # blocks and days of zones whose offsets are remembered, a megabyte


@dataclass(frozen=True)
class Clocks:
    """The clocks of a zone, and what a wall time means that they skip or show twice."""

    zone: ZoneInfo
    gap: Gap = "next"
    overlap: Overlap = "first"

    def instants(self, wall: datetime) -> tuple[datetime, ...]:
        """The instants that a naive wall time stands for, in order: none, one or two."""
        earlier, later = self._folds(wall)
        if earlier == later:
            return (earlier,)
        if earlier > later:  # In a gap, each fold is read with the offset of the other side.
            return (_gap_end(self.zone, later, earlier),) if self.gap == "next" else ()
        match self.overlap:
            case "first":
                return (earlier,)
            case "last":
                return (later,)
            case "both":
                return (earlier, later)

    def change_at(self, wall: datetime) -> ClockChange | None:
        """Whether the clocks skip a naive wall time, or show it twice."""
        earlier, later = self._folds(wall)
        if earlier == later:
            return None
        return "gap" if earlier > later else "overlap"

    def skipped_before(self, instant: datetime) -> timedelta:
        """How much the clocks skip as they reach the instant; mostly nothing."""
        before, after = (_offset(self.zone, each) for each in (instant - _TICK, instant))
        return max(after - before, timedelta(0))

    def steady_offset(self, day: date) -> timedelta | None:
        """The zone's offset if it is the same on the day, the day before and the day after it."""
        return _steady_offset(self.zone, day)

    def local(self, instant: datetime) -> datetime:
        """The instant on these clocks."""
        return instant.astimezone(self.zone)

    def _folds(self, wall: datetime) -> tuple[datetime, datetime]:
        return self._instant(wall, 0), self._instant(wall, 1)

    def _instant(self, wall: datetime, fold: int) -> datetime:
        return wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)


def _steady_offset(zone: ZoneInfo, day: date) -> timedelta | None:
    block = date.fromordinal(day.toordinal() // _BLOCK * _BLOCK)
    offset = _offset_of(zone, block, _BLOCK)
    return _offset_of(zone, day, 1) if offset is None else offset


@lru_cache(_KEPT)
def _offset_of(zone: ZoneInfo, first: date, days: int) -> timedelta | None:
    """The offset of days if it is one, also two days around them."""
    # No zone changes its clocks twice within half a day, so that equal offsets leave no change between them.
    begin = datetime.combine(first, time(0), UTC) - 2 * _DAY
    looks = range((days + 4) * 2 + 1)
    offsets = {_offset(zone, begin + number * _HALVES) for number in looks}
    return offsets.pop() if len(offsets) == 1 else None


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)


def _gap_end(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first instant after the change of offset that lies between two instants; found by halving."""
    offset = before.astimezone(zone).utcoffset()
    while (seconds := (after - before) // timedelta(seconds=1)) > 1:
        middle = before + timedelta(seconds=seconds // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
