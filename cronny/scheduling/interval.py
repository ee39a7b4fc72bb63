"""An interval: whole periods from an anchor, on the line of UTC seconds, where clocks are never changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronny.scheduling.walltime import ClockChange


@dataclass(frozen=True)
class Interval:
    """Fires at `first` and every `period` later, up to `last`; implements Compiled."""

    first: datetime
    period: timedelta
    last: datetime
    zone: ZoneInfo

    def next(self, after: datetime) -> datetime | None:
        """The first due strictly after `after`, or None if there is none."""
        number = self._until(after)
        return self._due(number) if number < self._until(self.last) else None

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""
        return map(self._due, range(self._until(after), self._until(until)))

    def count(self, after: datetime, until: datetime) -> int:
        """How many dues lie in (after, until]."""
        return max(0, self._until(until) - self._until(after))

    def latest(self, after: datetime, until: datetime, limit: int) -> tuple[datetime, ...]:
        """The last `limit` dues in (after, until]."""
        end = self._until(until)
        return tuple(map(self._due, range(max(self._until(after), end - limit), end)))

    def local(self, instant: datetime) -> datetime:
        """The instant on the clocks of the schedule's zone."""
        return instant.astimezone(self.zone)

    def touched(self, due: datetime) -> ClockChange | None:
        """Nothing: an interval counts seconds and looks at no clock."""
        return None

    def _until(self, instant: datetime) -> int:
        """How many dues there are up to and including `instant`."""
        return max(0, (min(instant, self.last) - self.first) // self.period + 1)

    def _due(self, number: int) -> datetime:
        return self.first + number * self.period
