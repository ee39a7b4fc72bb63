"""How many triggers of each tenant are allocated a second, so that one tenant's flood delays no other.

A tenant's rate grows while it asks for more and its triggers get through at once, and is cut when they don't:
what a machine can do is found out, not configured (additive increase, multiplicative decrease: RFC 5681).
What goes beyond the rate is allocated later. It waits here, where it costs nothing, and not in Temporal's
queues, where everything else would have to wait behind it. It has a place in a line, not an instant: the line
moves on at whatever the rate is by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FIRST_RATE = 20.0  # triggers a second of a tenant of which nothing is known yet; two cores manage some thirty
LEAST_RATE = 2.0
GROWTH = 1.0  # how much a rate grows in each second in which it is made use of
PROBING = 0.3  # the same, once it is known where it ends
CUT = 0.7  # the part that is left of a rate when triggers do not get through
HEAVY = 0.8  # who uses so much of what the heaviest tenant uses is cut, too; the others are not to blame
BURST = 60  # triggers beyond the rate that are allocated without waiting: most tenants never have to
MEMORY = timedelta(seconds=10)  # over which the use of a tenant is averaged
SET_BACK = timedelta(seconds=5)  # is no longer two calls that have overtaken each other
FORGOTTEN = timedelta(minutes=1)  # after its instant a place is given up; its schedule was deleted, or paused
SURE = timedelta(seconds=5)  # a longer wait is asked about half way: the rate may have changed
SLIVER = 1e-3  # of a fire; so little is left of a wait when its instant is rounded


@dataclass
class _Place:
    """What waits in a tenant's line."""

    before: float  #: Fires that go first.
    fires: int
    instant: datetime  #: When it asks again.


@dataclass
class _Share:
    rate: float = FIRST_RATE
    used: float = 0.0  #: Triggers allocated within `MEMORY`, the older ones for less.
    asked: float = 0.0  #: Fires that were asked for.
    passed: float = 0.0  #: How far the rate has got with them.
    moved: datetime | None = None
    adjusted: datetime | None = None
    cut: datetime | None = None
    places: dict[str, _Place] = field(default_factory=dict)

    @property
    def behind(self) -> float:
        """How many fires the rate has not got to."""
        return self.asked - self.passed

    def move(self, now: datetime) -> None:
        """Let the line move on; there is no credit for what nobody asked for."""
        seconds = max((now - (self.moved or now)).total_seconds(), 0)
        self.passed = min(self.passed + self.rate * seconds, self.asked)
        self.moved = now

    def join(self, schedule: str, fires: int, now: datetime) -> _Place:
        """The place of a schedule in the line: that which it has, or a new one at the end."""
        place = self.places.pop(schedule, None) or _Place(self.asked, 0, now)
        self.asked += max(fires - place.fires, 0)
        place.fires = fires
        return place

    def wait(self, place: _Place) -> timedelta:
        """How long it takes until it is the turn of a place, at this rate."""
        ahead = place.before - self.passed - BURST
        return timedelta(seconds=ahead / self.rate if ahead > SLIVER else 0)

    def age(self, now: datetime) -> None:
        """Forget what is long ago."""
        self.used *= max(1 - (now - (self.adjusted or now)) / MEMORY, 0)
        self.places = {name: place for name, place in self.places.items() if place.instant > now - FORGOTTEN}
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
        """When to ask again for so many fires; None if they may be allocated now.

        Who asks again within `FORGOTTEN` of that instant has kept its place.
        """
        self._follow(now)
        share = self._share(tenant)
        share.move(now)
        place = share.join(schedule, fires, now)
        wait = share.wait(place)
        if not wait:
            share.used += fires
            return None
        place.instant = now + (wait if wait <= SURE else wait / 2)
        share.places[schedule] = place
        return place.instant

    def observe(self, slow: Mapping[str, datetime], now: datetime) -> None:
        """Adjust the rates, given when the latest trigger of a tenant that takes too long was allocated."""
        self._follow(now)
        most = max((share.used for share in self._shares.values()), default=0.0)
        for tenant, share in list(self._shares.items()):
            share.move(now)
            allocated = slow.get(tenant)
            if allocated is not None:
                # What was allocated before a cut says nothing of the rate since then.
                if share.used >= most * HEAVY and (share.cut is None or allocated > share.cut):
                    share.rate, share.cut = max(share.rate * CUT, LEAST_RATE), now
            elif share.behind > BURST / 2:
                _grow(share, now)
            elif not share.places and share.used < SLIVER:
                del self._shares[tenant]  # nothing is left to know of it
            share.age(now)

    def _follow(self, now: datetime) -> None:
        """Forget everything when the clock was set back: what was used lies far ahead of it."""
        if self._latest is not None and now < self._latest - SET_BACK:
            self._shares.clear()
            self._latest = now
        self._latest = max(self._latest or now, now)

    def _share(self, tenant: str) -> _Share:
        return self._shares.setdefault(tenant, _Share())


def _grow(share: _Share, now: datetime) -> None:
    if share.adjusted is not None:
        seconds = min((now - share.adjusted).total_seconds(), 1.0)
        share.rate += (GROWTH if share.cut is None else PROBING) * seconds
