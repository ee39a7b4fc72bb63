"""From the wall times of a zone to instants, also where its clocks are changed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Gap = Literal["next", "skip"]
Overlap = Literal["first", "last", "both"]


@dataclass(frozen=True)
class Clocks:
    """The clocks of a zone, and what a wall time means that they skip or show twice."""

    zone: ZoneInfo
    gap: Gap = "next"
    overlap: Overlap = "first"

    def instants(self, wall: datetime) -> tuple[datetime, ...]:
        """The instants that a naive wall time stands for, in order: none, one or two."""
        earlier, later = (self._instant(wall, fold) for fold in (0, 1))
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

    def _instant(self, wall: datetime, fold: int) -> datetime:
        return wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)


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
