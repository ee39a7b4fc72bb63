"""How long triggers take from their allocation to their hold, as a worker process sees it."""

from collections.abc import Set
from datetime import datetime, timedelta

DELAY = timedelta(seconds=1.5)  # is too long: it takes a tenth of a second where nothing is in the way
RECENT = timedelta(seconds=3)


class Delays:
    """The tenants whose triggers took too long lately."""

    def __init__(self) -> None:
        self._slow: dict[str, datetime] = {}

    def note(self, tenant: str, allocated: datetime, now: datetime) -> None:
        """Take note of a trigger that has got through."""
        if now - allocated > DELAY:
            self._slow[tenant] = now

    def slow(self, now: datetime) -> Set[str]:
        """Those tenants at this moment."""
        self._slow = {tenant: at for tenant, at in self._slow.items() if abs(now - at) < RECENT}
        return self._slow.keys()
