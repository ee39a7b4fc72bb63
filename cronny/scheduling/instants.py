"""A rule that fires once: on a date, or after a delay."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Instants:
    """Fires at the given instants, which are in order; implements Compiled.

    There are two where clocks show the wall time twice and both are wanted, none where they skip it.
    """

    dues: tuple[datetime, ...]
    zone: ZoneInfo

    def next(self, after: datetime) -> datetime | None:
        """The first due strictly after `after`, or None if there is none."""
        return next((due for due in self.dues if due > after), None)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""
        return (due for due in self.dues if after < due <= until)

    def count(self, after: datetime, until: datetime) -> int:
        """How many dues lie in (after, until]."""
        return sum(1 for _ in self.between(after, until))

    def latest(self, after: datetime, until: datetime, limit: int) -> tuple[datetime, ...]:
        """The last `limit` dues in (after, until]."""
        dues = tuple(self.between(after, until))
        return dues[max(0, len(dues) - limit) :]

    def local(self, instant: datetime) -> datetime:
        """The instant on the clocks of the schedule's zone."""
        return instant.astimezone(self.zone)
