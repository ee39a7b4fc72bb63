"""A schedule's rule, ready to be asked for its fires."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from cronny.scheduling.walltime import ClockChange


class Compiled(Protocol):
    """The fires of one schedule, in order, without duplicates; all instants are aware and in UTC."""

    def next(self, after: datetime) -> datetime | None:
        """The first due strictly after `after`, or None if the schedule has ended."""

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""

    def count(self, after: datetime, until: datetime) -> int:
        """How many dues lie in (after, until]."""

    def latest(self, after: datetime, until: datetime, limit: int) -> tuple[datetime, ...]:
        """The last `limit` dues in (after, until], in order."""

    def local(self, instant: datetime) -> datetime:
        """The instant on the clocks of the schedule's zone."""

    def touched(self, due: datetime) -> ClockChange | None:
        """What a change of clocks has to do with a due: it was moved out of a gap, or is shown twice."""


def never_fires(compiled: Compiled, after: datetime) -> bool:
    """Whether no due lies after `after`."""
    return compiled.next(after) is None


def upcoming(compiled: Compiled, after: datetime, count: int) -> list[datetime]:
    """The first `count` dues after `after`, fewer where the schedule ends."""
    dues: list[datetime] = []
    while len(dues) < count and (due := compiled.next(after)) is not None:
        dues.append(due)
        after = due
    return dues
