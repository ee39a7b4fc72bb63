"""The worker is killed in the middle of a steady load and started again five seconds later."""

import asyncio
import time
from functools import partial

from bench.arm import Arm, soon
from bench.arms import APS, BARE_CHILD, CRONNY, DBOS_SLEEP, RESTATE
from bench.loads.load import Figures, Load, all_hits, figures, until
from bench.sink import Hit
from bench.stand import Stand

ARMS = (CRONNY, BARE_CHILD, DBOS_SLEEP, RESTATE, APS)
RATE = 10  # fires a second
KILLED = 10.0  # seconds after the first due
DOWN = 5.0  # seconds until the worker is started again


def recovery(count: int, repeat: int) -> Load:
    """The load: so many schedules that fire once, ten a second."""
    return Load("worker killed", ARMS, partial(_run, count), "caught_up_s", repeat=repeat)


def _run(count: int, stand: Stand, arm: Arm) -> Figures:
    stand.sink.clear()
    begin = soon(arm.room(count))
    dues = [begin + number // RATE for number in range(count)]  # whole seconds, as Cronny has them
    killed = begin + min(KILLED, count / RATE / 3) - 0.5
    with arm.worker(stand):
        asyncio.run(_begin(stand, arm, dues, killed))
    time.sleep(DOWN)
    restarted = time.time()
    with arm.worker(stand):
        hits = asyncio.run(all_hits(stand, count, dues[-1]))
    late = figures(hits, count)
    return {
        "caught_up_s": _last(hits, killed, restarted) - restarted,
        **{name: late[name] for name in ("worst_ms", "lost", "twice") if name in late},
    }


async def _begin(stand: Stand, arm: Arm, dues: list[float], killed: float) -> None:
    await arm.once(stand, "kill", dues)
    await until(killed)


def _last(hits: list[Hit], killed: float, restarted: float) -> float:
    """When the last fire that was due while there was no worker had run."""
    return max((hit.at for hit in hits if killed - 1 <= hit.due < restarted), default=restarted)
