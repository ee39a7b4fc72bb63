"""So many fires a second, evenly spread, from schedules of ten seconds each."""

import asyncio
from functools import partial

from bench.arm import Arm, Recurring, soon
from bench.arms import ALL, BARE_CHILD, BARE_SLEEPERS, CRONNY, DBOS_SCHEDULES, DBOS_SLEEP, RESTATE
from bench.loads.load import Figures, Load, Meter, figures, until, within
from bench.stand import Stand

PERIOD = 10.0  # seconds between the fires of one schedule
GRACE = 5.0  # seconds after the last due in which a fire still counts

CALM = 10  # fires a second that are asked of every arm
SELDOM = (BARE_SLEEPERS, DBOS_SCHEDULES)  # the herd shows how they do
FAST = (CRONNY, BARE_CHILD, DBOS_SLEEP, RESTATE)


def steady(rate: int, seconds: int, repeat: int) -> Load:
    """The load, for so many seconds after a first round that is not counted."""
    arms = [arm for arm in ALL if arm not in SELDOM] if rate <= CALM else FAST
    return Load(f"steady {rate}/s", arms, partial(_run, rate, seconds), "p99_ms", repeat=repeat)


def evenly(rate: int, begin: float, seconds: float, prefix: str = "steady") -> list[Recurring]:
    """Rules of ten seconds each that give so many fires a second together."""
    count = int(rate * PERIOD)
    times = int(seconds // PERIOD) + 2
    starts = [begin + int(number * PERIOD / count) for number in range(count)]
    return [Recurring(f"{prefix}-{number}", start, PERIOD, times) for number, start in enumerate(starts)]


def _run(rate: int, seconds: int, stand: Stand, arm: Arm) -> Figures:
    with arm.worker(stand):
        return asyncio.run(_measure(rate, seconds, stand, arm))


async def _measure(rate: int, seconds: int, stand: Stand, arm: Arm) -> Figures:
    stand.sink.clear()
    begin = soon(arm.room(int(rate * PERIOD)))
    rules = evenly(rate, begin, seconds)
    await arm.recurring(stand, rules)
    first, last = begin + PERIOD, begin + PERIOD + seconds
    await until(first)
    meter = Meter(stand)
    await until(last)
    cpu = meter.figures(rate * seconds)
    await until(last + GRACE)
    expected = sum(first <= due < last for rule in rules for due in rule.dues())
    return {**figures(within(stand.sink.read(), first, last), expected), **cpu}
