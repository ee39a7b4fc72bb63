"""A rule that ends after a number of fires."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice

from cronny.scheduling.bounds import LATEST
from cronny.scheduling.compiled import Compiled
from cronny.scheduling.walltime import ClockChange

_LISTED = 1000  # dues that are looked at one by one; ranges with more are counted
_GROWTH = 2


@dataclass(frozen=True)
class Counted:
    """The first `number` dues of a rule after an instant; implements Compiled.

    Nominal fires are counted, from the rule alone: what was skipped or missed is among them. So the last
    one is the same whoever asks and whenever. It is looked for once, when first needed, in ranges that
    grow while they hold too few, which takes as many looks as the rule's own `count` takes for a range.
    """

    rule: Compiled
    begin: datetime
    number: int

    @cached_property
    def last(self) -> datetime:
        """The due that is the last one, or the end of all searches if the rule has fewer."""
        rest, begin, span = self.number, self.begin, timedelta(days=1)
        while begin < LATEST:
            end = begin + min(span, LATEST - begin)
            found = self.rule.count(begin, end)
            if found < rest:
                rest, begin, span = rest - found, end, span * _GROWTH
            elif found > _LISTED and span > timedelta(seconds=_LISTED):
                span /= _GROWTH
            else:
                return next(islice(self.rule.between(begin, end), rest - 1, None))
        return LATEST

    def next(self, after: datetime) -> datetime | None:
        """The first due strictly after `after`, or None if there is none."""
        due = self.rule.next(max(after, self.begin))
        return due if due is not None and due <= self.last else None

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""
        return self.rule.between(max(after, self.begin), min(until, self.last))

    def count(self, after: datetime, until: datetime) -> int:
        """How many dues lie in (after, until]."""
        return self.rule.count(max(after, self.begin), min(until, self.last))

    def latest(self, after: datetime, until: datetime, limit: int) -> tuple[datetime, ...]:
        """The last `limit` dues in (after, until]."""
        return self.rule.latest(max(after, self.begin), min(until, self.last), limit)

    def local(self, instant: datetime) -> datetime:
        """The instant on the clocks of the schedule's zone."""
        return self.rule.local(instant)

    def touched(self, due: datetime) -> ClockChange | None:
        """What a change of clocks has to do with a due."""
        return self.rule.touched(due)
