"""Sets of dates that a calendar rule may be restricted to, or that it leaves out."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol


class DateSet(Protocol):
    """The days of a calendar."""

    def contains(self, day: date) -> bool:
        """Whether the day is one of them."""


@dataclass(frozen=True)
class Dates:
    """Days that are listed; implements DateSet."""

    days: frozenset[date]

    def contains(self, day: date) -> bool:
        """Whether the day is one of them."""
        return day in self.days
