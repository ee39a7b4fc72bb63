"""A schedule's rule, ready to be asked for its fires."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from dsl.schedule import Schedule


class Compiled(Protocol):
    """The fires of one schedule, in order, without duplicates; all instants are aware and in UTC."""

    def next(self, after: datetime) -> datetime | None:
        """The first due strictly after `after`, or None if the schedule has ended."""

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""

    def local(self, instant: datetime) -> datetime:
        """The instant on the clocks of the schedule's zone."""


def compile_schedule(schedule: Schedule, anchor: datetime) -> Compiled:
    """The rule of a schedule that was first saved at `anchor`."""
    raise NotImplementedError


def never_fires(compiled: Compiled, after: datetime) -> bool:
    """Whether no due lies after `after`."""
    return compiled.next(after) is None
