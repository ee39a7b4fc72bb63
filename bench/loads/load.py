"""A load: what each of its arms is made to do, and the figure that decides."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.arm import Arm
from bench.meter import cpu_seconds, spent
from bench.sink import Hit, lateness
from bench.stand import Stand

PATIENCE = 120.0  # seconds after which missing fires count as lost
Figures = Mapping[str, float]


@dataclass(frozen=True)
class Load:
    """One load and the arms that it is measured on."""

    title: str
    arms: Sequence[Arm]
    run: Callable[[Stand, Arm], Figures]
    decides: str  #: The figure that ratios are made of.
    yardstick: str = "bare parent + child"  #: The arm that ratios are made to.
    repeat: int = 1
    once: Sequence[Arm] = ()  #: Arms that are measured in the first repetition only: they are slow.


class Meter:
    """Processor time of every role since this was made."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._before = cpu_seconds(stand.pids)

    def figures(self, fires: int) -> Figures:
        """Processor milliseconds for each fire, by role and in all."""
        seconds = spent(self._before, cpu_seconds(self._stand.pids))
        each = {f"cpu_{role}_ms": 1000 * took / max(1, fires) for role, took in seconds.items()}
        return {**each, "cpu_ms": sum(each.values())}


def figures(hits: Sequence[Hit], expected: int) -> dict[str, float]:
    """How late some hits were, and how many are missing or double."""
    if not hits:
        return {"lost": expected}
    late = lateness(hits)
    return {
        "p50_ms": late.p50,
        "p99_ms": late.p99,
        "worst_ms": late.worst,
        "earliest_ms": late.earliest,
        "lost": expected - (late.count - late.twice),
        "twice": late.twice,
    }


async def all_hits(stand: Stand, count: int, due: float) -> list[Hit]:
    """The hits, once there are so many or patience has ended."""
    while len(stand.sink.read()) < count and time.time() < due + PATIENCE:  # noqa: ASYNC110 - workers write it
        await asyncio.sleep(0.2)
    await asyncio.sleep(1)  # A fire that comes twice comes soon.
    return stand.sink.read()


def within(hits: Sequence[Hit], begin: float, end: float) -> list[Hit]:
    """The hits that were due in a window."""
    return [hit for hit in hits if begin <= hit.due < end]


async def until(instant: float) -> None:
    """Sleep until an instant."""
    await asyncio.sleep(max(0.0, instant - time.time()))
