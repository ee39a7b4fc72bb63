"""A rule that ends after a number of fires."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from cronny.scheduling.bounds import LATEST
from cronny.scheduling.compiled import Compiled
from cronny.scheduling.walltime import ClockChange

_LISTED = 1000  # dues that are looked at one by one; ranges with more are halved
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Counted:
    """The first `number` dues of a rule after an instant; implements Compiled.

    Nominal fires are counted, from the rule alone: what was skipped or missed is among them. So the last
    one is the same whoever asks, whenever, and whatever the ledger has lost or purged. How far was counted
    is remembered, so that each range is counted once, by the rule's own `count`; and nothing is counted
    beyond what is asked for.
    """

    rule: Compiled
    begin: datetime
    number: int
    reached: list[tuple[datetime, int]] = field(default_factory=list, compare=False)
    ends: list[datetime] = field(default_factory=list, compare=False)  #: The last due, once it is known.

    def next(self, after: datetime) -> datetime | None:
        """The first due strictly after `after`, or None if there is none."""
        due = self.rule.next(max(after, self.begin))
        return due if due is not None and due <= self._within(due) else None

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""
        return self.rule.between(max(after, self.begin), self._within(until))

    def count(self, after: datetime, until: datetime) -> int:
        """How many dues lie in (after, until]."""
        return self.rule.count(max(after, self.begin), self._within(until))

    def latest(self, after: datetime, until: datetime, limit: int) -> tuple[datetime, ...]:
        """The last `limit` dues in (after, until]."""
        return self.rule.latest(max(after, self.begin), self._within(until), limit)

    def local(self, instant: datetime) -> datetime:
        """The instant on the clocks of the schedule's zone."""
        return self.rule.local(instant)

    def touched(self, due: datetime) -> ClockChange | None:
        """What a change of clocks has to do with a due."""
        return self.rule.touched(due)

    def _within(self, until: datetime) -> datetime:
        """The instant, or the last due if that is earlier."""
        if self.ends:
            return min(until, self.ends[0])
        begin, counted = self.reached[-1] if self.reached else (self.begin, 0)
        until, span = min(until, LATEST), timedelta(days=1)
        while begin < until:
            end = min(begin + span, until)
            found = self.rule.count(begin, end)
            if counted + found >= self.number:
                self.ends.append(self._nth(begin, end, self.number - counted))
                return min(until, self.ends[0])
            begin, counted, span = end, counted + found, min(span * 2, LATEST - end)
            self.reached[:] = [(begin, counted)]
        return until

    def _nth(self, begin: datetime, end: datetime, nth: int) -> datetime:
        """The nth due in (begin, end], which has so many."""
        while end - begin > _LISTED * _SECOND:
            middle = begin + (end - begin) / 2
            found = self.rule.count(begin, middle)
            if found >= nth:
                end = middle
            else:
                begin, nth = middle, nth - found
            if found <= _LISTED and nth <= _LISTED:
                break
        return next(islice(self.rule.between(begin, end), nth - 1, None))
