"""The loads, by the name that the command line knows them by."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.lists import all_lists
from bench.loads.chain import chain
from bench.loads.events import events
from bench.loads.herd import herd
from bench.loads.idle import idle
from bench.loads.load import Load
from bench.loads.recovery import recovery
from bench.loads.steady import steady
from bench.loads.sustained import sustained
from bench.loads.tenants import FLOODS, tenants
from bench.loads.upload import upload
from bench.next_hour import next_hour
from bench.report import Row

USUAL = ("herd", "steady", "sustained", "chain", "recovery", "tenants", "events")  # without the long one
ALONE: Mapping[str, Callable[[], Iterable[Row]]] = {
    "upload": upload,
    "next": next_hour,
    "lists": all_lists,
}  # what needs no servers of the bench
NAMES = (*USUAL, *ALONE, "idle")


@dataclass(frozen=True)
class Extent:
    """How much of each load; None takes the load's own."""

    count: int | None = None  #: Fires of the herd and of the recovery, schedules that idle.
    rates: Sequence[int] = (10, 25)
    seconds: int = 15
    repeat: int | None = None

    def times(self, usual: int) -> int:
        """Repetitions of a load that is usually repeated so often."""
        return self.repeat or usual


QUICK = Extent(count=100, rates=(10,), seconds=10, repeat=1)
QUICK_LOADS = ("herd", "steady", "chain")


def loads(names: Sequence[str], extent: Extent) -> list[Load]:
    """The loads of these names, to such an extent."""
    made: Mapping[str, list[Load]] = {
        "herd": [herd(extent.count or 1000, extent.times(2))],
        "steady": [steady(rate, extent.seconds, extent.times(1)) for rate in extent.rates],
        "sustained": [sustained(extent.times(1))],
        "chain": [chain(extent.times(1))],
        "recovery": [recovery(extent.count or 100, extent.times(1))],
        "tenants": [tenants(flood, extent.times(1)) for flood in FLOODS],
        "events": [events()],
        "idle": [idle(extent.count or 10_000, extent.times(1))],
    }
    return [load for name in names if name not in ALONE for load in made[name]]
