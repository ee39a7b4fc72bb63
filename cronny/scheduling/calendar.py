"""A calendar rule: days and times of day on the clocks of a zone."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile

from cronny.scheduling.bounds import EARLIEST, TICK, Bounds
from cronny.scheduling.days import Dates
from cronny.scheduling.latest import latest
from cronny.scheduling.walltime import ClockChange, Clocks

# As clocks go back over midnight, a fire of the day before may still be to come.
_LOOKBACK = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Run:
    """Dues at `seconds`, which ascend, from `base` on."""

    base: datetime
    seconds: Sequence[int]

    def until(self, instant: datetime) -> int:
        """How many of the dues lie up to and including the instant."""
        return bisect_right(self.seconds, (instant - self.base) // _SECOND)

    def dues(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""
        chosen = range(self.until(after), self.until(until))
        return (self.base + timedelta(seconds=self.seconds[number]) for number in chosen)


@dataclass(frozen=True)
class Calendar:
    """Fires on certain days at certain seconds of the day, in order; implements Compiled."""

    days: Dates
    seconds: Sequence[int]
    clocks: Clocks
    bounds: Bounds

    def next(self, after: datetime) -> datetime | None:
        """The first due strictly after `after`, or None if there is none."""
        return next(self.between(after, self.bounds.last), None)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""
        after, until = self._within(after, until)
        for run in self._runs(after, until):
            yield from run.dues(after, until)

    def count(self, after: datetime, until: datetime) -> int:
        """How many dues lie in (after, until]."""
        after, until = self._within(after, until)
        return sum(run.until(until) - run.until(after) for run in self._runs(after, until))

    def latest(self, after: datetime, until: datetime, limit: int) -> tuple[datetime, ...]:
        """The last `limit` dues in (after, until]."""
        return latest(self, *self._within(after, until), limit)

    def local(self, instant: datetime) -> datetime:
        """The instant on the clocks of the schedule's zone."""
        return self.clocks.local(instant)

    def touched(self, due: datetime) -> ClockChange | None:
        """What a change of clocks has to do with a due."""
        wall = self.local(due).replace(tzinfo=None, fold=0)
        if self.clocks.change_at(wall) == "overlap":
            return "overlap"
        skipped = self.clocks.skipped_before(due)
        return "gap" if skipped and self._has_wall(wall - skipped, wall) else None

    def _has_wall(self, begin: datetime, end: datetime) -> bool:
        """Whether the rule names a wall time in [begin, end)."""
        days = takewhile(lambda day: day <= end.date(), self.days.since(begin.date()))
        return any(begin <= wall < end for day in days for wall in self._walls(day))

    def _within(self, after: datetime, until: datetime) -> tuple[datetime, datetime]:
        return max(after, self.bounds.first - TICK), min(until, self.bounds.last)

    def _runs(self, after: datetime, until: datetime) -> Iterator[Run]:
        """All dues in (after, until], and perhaps more, in runs that follow one another.

        Where clocks go back over midnight the fires of two neighbouring dates mix, so that those of a date
        are held until the next date's are known.
        """
        if after >= until:
            return
        held: set[datetime] = set()
        for day in self.days.since(self.local(after).date() - _LOOKBACK):
            offset = self.clocks.steady_offset(day)
            midnight = datetime.combine(day, time(0), UTC)
            if offset is not None and not held:
                run = Run(midnight - offset, self.seconds)
                if run.base > until:
                    return
                yield run
                continue
            if midnight - 2 * _LOOKBACK > until:  # No offset is more than a day.
                break
            fresh = {due for wall in self._walls(day) for due in self.clocks.instants(wall)}
            if not fresh:
                continue
            yield _run(due for due in held if due < min(fresh))
            held = {due for due in held if due >= min(fresh)} | fresh
            if offset is not None:
                yield _run(held)
                held = set()
        yield _run(held)

    def _walls(self, day: date) -> Iterator[datetime]:
        midnight = datetime.combine(day, time(0))
        return (midnight + timedelta(seconds=seconds) for seconds in self.seconds)


def _run(dues: Iterable[datetime]) -> Run:
    ordered = sorted(dues)
    base = ordered[0] if ordered else EARLIEST
    return Run(base, [(due - base) // _SECOND for due in ordered])
