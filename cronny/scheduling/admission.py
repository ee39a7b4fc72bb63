"""How many triggers of each tenant are allocated a second, so that one tenant's flood delays no other.

A tenant's rate grows while it asks for more and its triggers get through at once, and is cut when they don't:
what a machine can do is found out, not configured (additive increase, multiplicative decrease: RFC 5681).
What goes beyond the rate is allocated later. It waits here, where it costs nothing, and not in Temporal's
queues, where everything else would have to wait behind it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FIRST_RATE = 20.0  # triggers a second of a tenant of which nothing is known yet; two cores manage some thirty
LEAST_RATE = 2.0
GROWTH = 1.0  # how much a rate grows in each second in which it is made use of
PROBING = 0.3  # the same, once it is known where it ends
CUT = 0.7  # the part that is left of a rate when triggers do not get through
HEAVY = 0.5  # who uses so much of what the heaviest tenant uses is cut, too; the others are not to blame
BURST = 60  # triggers beyond the rate that are allocated without waiting: most tenants never have to
EFFECT = timedelta(seconds=6)  # after a cut; what was allocated before it has to get through first
MEMORY = timedelta(seconds=10)  # over which the use of a tenant is averaged
SET_BACK = timedelta(seconds=5)  # is no longer two calls that have overtaken each other
FORGOTTEN = timedelta(minutes=1)  # after its instant a place is given up; its schedule was deleted, or paused


@dataclass
class _Share:
    rate: float = FIRST_RATE
    used: float = 0.0  #: Triggers allocated within `MEMORY`, the older ones for less.
    booked: datetime | None = None  #: Up to here the rate is used up.
    adjusted: datetime | None = None
    cut: datetime | None = None
    places: dict[str, tuple[datetime, int]] = field(default_factory=dict)  #: What waits, and how many fires.

    def lead(self, now: datetime) -> timedelta:
        """How far the bookings are ahead of the clock."""
        return max((self.booked or now) - now, timedelta())

    def patience(self) -> timedelta:
        """How far they may be ahead before somebody has to wait."""
        return timedelta(seconds=BURST / self.rate)

    def book(self, fires: int, now: datetime) -> None:
        self.booked = max(self.booked or now, now) + timedelta(seconds=fires / self.rate)

    def age(self, now: datetime) -> None:
        """Forget what is long ago."""
        passed = now - (self.adjusted or now)
        self.used *= max(1 - passed / MEMORY, 0)
        self.places = {name: place for name, place in self.places.items() if place[0] > now - FORGOTTEN}
        self.adjusted = now


class Admission:
    """The rates of all tenants, as one process sees them."""

    def __init__(self) -> None:
        self._shares: dict[str, _Share] = {}
        self._latest: datetime | None = None

    def rate(self, tenant: str) -> float:
        """Triggers a second that are allocated for a tenant at the most."""
        return self._share(tenant).rate

    def postponed(self, tenant: str, schedule: str, fires: int, now: datetime) -> datetime | None:
        """When to come back for so many fires; None if they may be allocated now.

        Who comes back at that instant is let through; the place that it had is its own until then.
        """
        self._follow(now)
        share = self._share(tenant)
        if (place := share.places.get(schedule)) is not None:
            instant, booked = place
            if now < instant:
                return instant
            del share.places[schedule]
            share.book(max(fires - booked, 0), now)
        else:
            waits = share.lead(now) - share.patience()
            share.book(fires, now)
            if waits > timedelta():
                share.places[schedule] = (now + waits, fires)
                return now + waits
        share.used += fires
        return None

    def observe(self, slow: Collection[str], now: datetime) -> None:
        """Adjust the rates, given the tenants whose triggers do not get through as they should."""
        self._follow(now)
        most = max((share.used for share in self._shares.values()), default=0.0)
        for tenant, share in list(self._shares.items()):
            if tenant in slow and share.used >= most * HEAVY:
                _cut(share, now)
            elif share.lead(now) > share.patience() / 2:
                _grow(share, now)
            elif share.booked is not None and share.booked < now - MEMORY and not share.places:
                del self._shares[tenant]  # nothing is left to know of it
            share.age(now)

    def _follow(self, now: datetime) -> None:
        """Forget everything when the clock was set back: the bookings lie far ahead of it."""
        if self._latest is not None and now < self._latest - SET_BACK:
            self._shares.clear()
            self._latest = now
        self._latest = max(self._latest or now, now)

    def _share(self, tenant: str) -> _Share:
        return self._shares.setdefault(tenant, _Share())


def _has_effect(share: _Share, now: datetime) -> bool:
    return share.cut is None or now - share.cut >= EFFECT


def _cut(share: _Share, now: datetime) -> None:
    if _has_effect(share, now):
        share.rate, share.cut = max(share.rate * CUT, LEAST_RATE), now


def _grow(share: _Share, now: datetime) -> None:
    if share.adjusted is not None and _has_effect(share, now):
        seconds = min((now - share.adjusted).total_seconds(), 1.0)
        share.rate += (GROWTH if share.cut is None else PROBING) * seconds
