"""How long triggers take from their allocation to their hold, as a worker process sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

DELAY = timedelta(seconds=1.5)  # is too long: it takes a tenth of a second where nothing is in the way
RECENT = timedelta(seconds=3)


@dataclass(frozen=True)
class _Slow:
    allocated: datetime
    noted: datetime


class Delays:
    """The tenants whose triggers took too long lately."""

    def __init__(self) -> None:
        self._slow: dict[str, _Slow] = {}

    def note(self, tenant: str, allocated: datetime, now: datetime) -> None:
        """Take note of a trigger that has got through."""
        if now - allocated > DELAY:
            known = self._slow.get(tenant)
            latest = max(allocated, known.allocated) if known is not None else allocated
            self._slow[tenant] = _Slow(latest, now)

    def slow(self, now: datetime) -> Mapping[str, datetime]:
        """Those tenants at this moment, and when the latest trigger that took too long was allocated."""
        self._slow = {tenant: one for tenant, one in self._slow.items() if abs(now - one.noted) < RECENT}
        return {tenant: one.allocated for tenant, one in self._slow.items()}
