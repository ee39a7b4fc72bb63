"""Fires that are counted from an instant, on those dates alone that the schedule keeps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from cronny.scheduling.bounds import EARLIEST, LATEST, TICK
from cronny.scheduling.compiled import Compiled
from cronny.scheduling.kept import Keeping
from cronny.scheduling.latest import latest
from cronny.scheduling.walltime import ClockChange, Clocks

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Filtered:
    """The fires of a rule on the dates that are kept; implements Compiled."""

    rule: Compiled
    keeping: Keeping
    clocks: Clocks

    def next(self, after: datetime) -> datetime | None:
        """The first due strictly after `after`, or None if there is none."""
        return next(self.between(after, LATEST), None)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""
        for begin, end in self._kept(after, until):
            yield from self.rule.between(begin, end)

    def count(self, after: datetime, until: datetime) -> int:
        """How many dues lie in (after, until]."""
        return sum(self.rule.count(begin, end) for begin, end in self._kept(after, until))

    def latest(self, after: datetime, until: datetime, limit: int) -> tuple[datetime, ...]:
        """The last `limit` dues in (after, until]."""
        return latest(self, max(after, EARLIEST - TICK), until, limit)

    def local(self, instant: datetime) -> datetime:
        """The instant on the clocks of the schedule's zone."""
        return self.clocks.local(instant)

    def touched(self, due: datetime) -> ClockChange | None:
        """What a change of clocks has to do with a due."""
        return self.rule.touched(due)

    def _kept(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The ranges in (after, until] with dues on one date that is kept."""
        while after < until and (due := self.rule.next(after)) is not None and due <= until:
            day = self._date(due)
            if self.keeping.keeps(day):
                after = min(until, self._begin(day + _DAY) - TICK)
                yield due - TICK, after
                continue
            following = self.keeping.next_kept(day)
            if following is None:
                return
            after = self._begin(following) - TICK

    def _date(self, instant: datetime) -> date:
        """The latest date that has begun: as clocks go back over midnight, the new date stays."""
        day = self.local(instant).date()
        return day + _DAY if self._begin(day + _DAY) <= instant else day

    def _begin(self, day: date) -> datetime:
        return self.clocks.instants(datetime.combine(day, time(0)))[0]
