"""Forty stages in a row, one run after the other."""

import asyncio
import statistics

from bench.arm import Arm
from bench.arms import BARE_CHILD, CRONNY, DBOS_SLEEP, RESTATE
from bench.loads.load import Figures, Load
from bench.stand import Stand

LENGTH = 40
TIMES = 10
WARM_UP = 2  # runs that are not counted


def chain(repeat: int) -> Load:
    """The load."""
    return Load("chain of 40", [CRONNY, BARE_CHILD, DBOS_SLEEP, RESTATE], _run, "ms", repeat=repeat)


def _run(stand: Stand, arm: Arm) -> Figures:
    with arm.worker(stand):
        seconds = asyncio.run(arm.chain(stand, LENGTH, WARM_UP + TIMES))[WARM_UP:]
    return {"ms": statistics.median(seconds) * 1000, "slowest_ms": max(seconds) * 1000}
