"""A light tenant alone, then beside one that floods the same worker."""

import asyncio
from functools import partial

from bench.arm import Arm, Recurring, soon
from bench.arms import CRONNY
from bench.arms.cronny import Cronny
from bench.loads.load import Figures, Load, until, within
from bench.loads.steady import PERIOD, evenly
from bench.sink import lateness
from bench.stand import TENANTS, Stand

LIGHT_RATE = 2  # fires a second
FLOODS = (25, 60)  # schedules of a second each: most of what two cores can fire, and twice as much
PHASE = 20.0  # seconds alone, and beside


def tenants(flood: int, repeat: int) -> Load:
    """The load."""
    title = f"light tenant beside {flood}/s"
    return Load(title, [CRONNY], partial(_run, flood), "beside_p99_ms", repeat=repeat)


def _run(flood: int, stand: Stand, arm: Arm) -> Figures:
    with arm.worker(stand):
        return asyncio.run(_measure(flood, stand, arm))


async def _measure(count: int, stand: Stand, light: Arm) -> Figures:
    flood = Cronny(TENANTS[1])
    stand.sink.clear()
    begin = soon(light.room(count))
    beside = begin + PERIOD + PHASE
    rules = [Recurring(f"flood-{number}", beside, 1.0, int(PHASE) + 10) for number in range(count)]
    await light.recurring(stand, evenly(LIGHT_RATE, begin, 2 * PHASE + 10, "light"))
    await flood.recurring(stand, rules)
    await until(beside + 5 + PHASE + 5)
    hits = [hit for hit in stand.sink.read() if hit.id.endswith(TENANTS[0])]
    alone = lateness(within(hits, begin + PERIOD, beside))
    crowded = lateness(within(hits, beside + 5, beside + 5 + PHASE))
    return {
        "alone_p99_ms": alone.p99,
        "beside_p99_ms": crowded.p99,
        "alone_p50_ms": alone.p50,
        "beside_p50_ms": crowded.p50,
        "beside_to_alone": crowded.p99 / alone.p99,
        "beside_above_ms": crowded.p99 - alone.p99,
        "lost": LIGHT_RATE * PHASE - crowded.count,
    }
