"""Schedules of 1 to 60 seconds, more of them every few seconds, until the arm no longer keeps up."""

import asyncio
from collections.abc import Iterator

from bench.arm import Arm, Recurring, soon
from bench.arms import BARE_CHILD, CRONNY
from bench.loads.load import Figures, Load, until
from bench.sink import Hit
from bench.stand import Stand

MIX = {1: 2, 2: 2, 5: 5, 10: 5, 20: 5, 60: 15}  # period in seconds: schedules; five fires a second together
STEP = 10.0  # seconds until there are five fires a second more
SETTLE = 3.0  # seconds of a step that are not counted
FIRST = 2  # mixes in the first step
STEPS = 12
KEPT_UP = 0.95  # of the fires due in a step must have run one second after it


def sustained(repeat: int) -> Load:
    """The load."""
    return Load(
        "sustained, schedules of 1 to 60 s", [CRONNY, BARE_CHILD], _run, "kept_up_with", repeat=repeat
    )


def _run(stand: Stand, arm: Arm) -> Figures:
    with arm.worker(stand):
        return asyncio.run(_measure(stand, arm))


async def _measure(stand: Stand, arm: Arm) -> Figures:
    stand.sink.clear()
    begin = soon(arm.room(sum(MIX.values()) * (STEPS + FIRST - 1)))
    end = begin + STEPS * STEP
    rules = [rule for step in range(STEPS) for rule in rules_of_step(step, begin, end)]
    await arm.recurring(stand, rules)
    most, kept, failures = 0.0, 0.0, 0
    for step in range(STEPS):
        first, last = begin + step * STEP + SETTLE, begin + (step + 1) * STEP
        await until(last + 1)
        hits = stand.sink.read()
        dues = [due for rule in rules for due in rule.dues() if first <= due < last]
        most = max(most, sum(first <= hit.at < last for hit in hits) / (last - first))
        if _in_time(hits, first, last) >= KEPT_UP * len(dues):
            kept = len(dues) / (last - first)
        else:
            failures += 1
        if failures == 2:
            break
    return {"kept_up_with": kept, "most_a_second": most}


def rules_of_step(step: int, begin: float, end: float) -> Iterator[Recurring]:
    """The schedules that a step adds, five fires a second; the first adds more."""
    start = begin + step * STEP
    for mix in range(FIRST if step == 0 else 1):
        for period, count in MIX.items():
            for number in range(count):
                at = start + int(number * period / count)
                times = int((end - at) // period) + 1
                if times > 0:
                    yield Recurring(f"s{step}-{mix}-{period}-{number}", at, float(period), times)


def _in_time(hits: list[Hit], first: float, last: float) -> int:
    return len({(hit.id, hit.due) for hit in hits if first <= hit.due < last})
