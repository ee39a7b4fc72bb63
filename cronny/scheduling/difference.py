"""What an edit of a rule does to its fires."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import merge
from itertools import groupby, islice

from cronny.scheduling.compiled import Compiled

SPAN = timedelta(days=90)  # how far an edit is looked at
MOST = 20_000  # instants compared: 40 ms; a rule that fires more often is looked at less far
SHOWN = 50  # fires that are named of either kind


@dataclass
class Fires:
    """How many fires there are, and the first of them."""

    count: int = 0
    first: list[datetime] = field(default_factory=list)

    def add(self, due: datetime) -> None:
        """Count one more."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(due)


@dataclass(frozen=True)
class Difference:
    """The fires up to `until` that one rule has and another has not."""

    until: datetime
    added: Fires
    removed: Fires


def difference(
    before: Compiled | None, after: Compiled | None, start: datetime, span: timedelta = SPAN
) -> Difference:
    """What changes in (start, start + span] as one rule takes another's place; None fires never."""
    until, added, removed = start + span, Fires(), Fires()
    both = merge(_marked(before, start, until, False), _marked(after, start, until, True))
    instants = (
        (due, {is_after for _, is_after in marks}) for due, marks in groupby(both, lambda one: one[0])
    )
    for compared, (due, sides) in enumerate(islice(instants, MOST), 1):
        if sides == {True}:
            added.add(due)
        elif sides == {False}:
            removed.add(due)
        if compared == MOST:
            until = due
    return Difference(until, added, removed)


def _marked(
    compiled: Compiled | None, start: datetime, until: datetime, is_after: bool
) -> Iterator[tuple[datetime, bool]]:
    return ((due, is_after) for due in compiled.between(start, until)) if compiled else iter(())
