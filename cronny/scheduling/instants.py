"""A rule of single fires: on dates, or after a delay."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cronny.scheduling.walltime import ClockChange, Clocks


@dataclass(frozen=True)
class Instants:
    """Fires at the given instants, which are in order; implements Compiled.

    Beside each is what a change of clocks has to do with it. A wall time is two instants where clocks show
    it twice and both are wanted, none where they skip it and that is wanted.
    """

    dues: Mapping[datetime, ClockChange | None]
    clocks: Clocks

    @classmethod
    def of(cls, moments: Iterable[datetime], clocks: Clocks) -> "Instants":
        """The instants of moments, which are wall times where they have no offset."""
        found: dict[datetime, ClockChange | None] = {}
        for moment in moments:
            if moment.tzinfo:
                found[moment.astimezone(UTC)] = None
            else:
                found |= dict.fromkeys(clocks.instants(moment), clocks.change_at(moment))
        return cls(dict(sorted(found.items())), clocks)

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
        return self.clocks.local(instant)

    def touched(self, due: datetime) -> ClockChange | None:
        """What a change of clocks has to do with a due."""
        return self.dues.get(due)
