"""A bounded rate: after an outage nothing is made up for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
SLACK = timedelta(seconds=2)  # turns of this span may be taken at once: one looks every second


@dataclass(frozen=True)
class Pace:
    """When the next may begin."""

    next_at: datetime

    def allows(self, now: datetime) -> bool:
        """Whether another one may begin now."""
        return self.next_at <= now

    def after_one(self, rate: int, now: datetime) -> "Pace":
        """The pace once another one has begun, at so many a minute."""
        return Pace(max(self.next_at, now - SLACK) + MINUTE / rate)
