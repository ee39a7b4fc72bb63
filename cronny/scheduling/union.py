"""Several rules as one: what any of them fires at, once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge

from cronny.scheduling.bounds import TICK
from cronny.scheduling.compiled import Compiled
from cronny.scheduling.latest import latest
from cronny.scheduling.walltime import ClockChange, Clocks


@dataclass(frozen=True)
class Union:
    """Fires when any of its rules does; implements Compiled."""

    rules: tuple[Compiled, ...]
    clocks: Clocks

    def next(self, after: datetime) -> datetime | None:
        """The first due strictly after `after`, or None if there is none."""
        return min((due for rule in self.rules if (due := rule.next(after)) is not None), default=None)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""
        last = None
        for due in merge(*(rule.between(after, until) for rule in self.rules)):
            if due != last:
                yield due
                last = due

    def count(self, after: datetime, until: datetime) -> int:
        """How many dues lie in (after, until]."""
        ordered = sorted(self.rules, key=lambda rule: rule.count(after, until))
        # The rule with the most dues counts them without listing them; only those of the others are.
        densest, others = ordered[-1], Union(tuple(ordered[:-1]), self.clocks)
        more = (due for due in others.between(after, until) if densest.next(due - TICK) != due)
        return densest.count(after, until) + sum(1 for _ in more)

    def latest(self, after: datetime, until: datetime, limit: int) -> tuple[datetime, ...]:
        """The last `limit` dues in (after, until]."""
        return latest(self, after, until, limit)

    def local(self, instant: datetime) -> datetime:
        """The instant on the clocks of the schedule's zone."""
        return self.clocks.local(instant)

    def touched(self, due: datetime) -> ClockChange | None:
        """What a change of clocks has to do with a due."""
        firing = (rule for rule in self.rules if rule.next(due - TICK) == due)
        return next((change for rule in firing if (change := rule.touched(due))), None)
