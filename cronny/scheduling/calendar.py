"""A calendar rule: days and times of day on the clocks of a zone."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import takewhile

from cronny.scheduling.bounds import TICK, Bounds
from cronny.scheduling.days import Days
from cronny.scheduling.walltime import Clocks

# As clocks go back over midnight, a fire of the day before may still be to come.
_LOOKBACK = timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """Fires on certain days at certain times of day; implements Compiled."""

    days: Days
    times: tuple[time, ...]
    clocks: Clocks
    bounds: Bounds

    def next(self, after: datetime) -> datetime | None:
        """The first due strictly after `after`, or None if there is none."""
        return next(self._dues(after, self.bounds.last), None)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""
        return self._dues(after, until)

    def count(self, after: datetime, until: datetime) -> int:
        """How many dues lie in (after, until]."""
        return sum(1 for _ in self._dues(after, until))

    def latest(self, after: datetime, until: datetime, limit: int) -> tuple[datetime, ...]:
        """The last `limit` dues in (after, until]."""
        return tuple(deque(self._dues(after, until), maxlen=limit))

    def local(self, instant: datetime) -> datetime:
        """The instant on the clocks of the schedule's zone."""
        return instant.astimezone(self.clocks.zone)

    def _dues(self, after: datetime, until: datetime) -> Iterator[datetime]:
        after = max(after, self.bounds.first - TICK)
        until = min(until, self.bounds.last)
        if after >= until:
            return
        day = self.local(after).date() - _LOOKBACK
        for due in takewhile(lambda due: due <= until, self._since(day)):
            if due > after:
                yield due
                after = due  # Two wall times can be one instant, as a gap ends.

    def _since(self, day: date) -> Iterator[datetime]:
        """The instants of all dates from `day` on, in order.

        Where clocks go back over midnight the fires of two neighbouring dates mix, so that those of a date
        are held until the next date's are known.
        """
        held: list[datetime] = []
        for each in self.days.since(day):
            fresh = self._of(each)
            if not fresh:
                continue
            yield from (due for due in held if due < fresh[0])
            held = sorted([*(due for due in held if due >= fresh[0]), *fresh])
        yield from held

    def _of(self, day: date) -> list[datetime]:
        walls = (datetime.combine(day, at) for at in self.times)
        return sorted(due for wall in walls for due in self.clocks.instants(wall))
