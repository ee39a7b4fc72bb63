"""So many schedules due at one instant."""

import asyncio
import time
from functools import partial

from bench.arm import Arm, soon
from bench.arms import ALL, BARE_CHILD, DBOS_SCHEDULES, TEMPORAL_SCHEDULES
from bench.loads.load import Figures, Load, Meter, all_hits, figures
from bench.stand import Stand

FEWER = 300  # as many as Temporal's own schedules start in ten seconds

SLOW = (BARE_CHILD, TEMPORAL_SCHEDULES, DBOS_SCHEDULES)
WARM_UP = 4.0  # seconds in which processes start; their imports are not part of a fire


def herd(count: int, repeat: int) -> Load:
    """The load; Temporal's own schedules get fewer, since they start 30 a second at most."""
    return Load(f"herd of {count}", ALL, partial(_run, count), "p99_ms", repeat=repeat, once=SLOW)


def _run(count: int, stand: Stand, arm: Arm) -> Figures:
    fires = min(count, FEWER) if arm is TEMPORAL_SCHEDULES else count
    with arm.worker(stand):
        time.sleep(WARM_UP)
        return asyncio.run(_measure(fires, stand, arm))


async def _measure(count: int, stand: Stand, arm: Arm) -> Figures:
    meter = Meter(stand)
    stand.sink.clear()
    due = soon(arm.room(count))
    await arm.once(stand, "herd", [due] * count)
    ahead = due - time.time()
    hits = await all_hits(stand, count, due)
    return {**figures(hits, count), "fires": count, "set_up_ahead_s": ahead, **meter.figures(count)}
