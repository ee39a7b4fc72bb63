"""What becomes of fires whose time has passed: some are run late, the others are written down."""

from dataclasses import dataclass
from datetime import datetime

from cronny.scheduling.bounds import TICK
from cronny.scheduling.compiled import Compiled
from dsl.options import Catchup


@dataclass(frozen=True)
class Missed:
    """A range of fires that are not run; its two ends are fires, the same one where `count` is 1."""

    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True)
class Decision:
    """The fires to run after all, in order, and those to leave out."""

    run: tuple[datetime, ...]
    missed: tuple[Missed, ...]


def catch_up(compiled: Compiled, start: datetime, late: datetime, catchup: Catchup, cap: int) -> Decision:
    """What becomes of the fires in (start, late]; of more than `cap` the latest are run."""
    most = min(cap, catchup.cap or cap)
    limit = {"all": most, "last": 1, "none": 0, "ask": 0}[catchup.mode]
    since = start if catchup.window is None else max(start, late - catchup.window)
    run = compiled.latest(since, late, limit)
    return Decision(run, left_out(compiled, start, run[0] - TICK if run else late))


def left_out(compiled: Compiled, start: datetime, until: datetime) -> tuple[Missed, ...]:
    """The fires in (start, until] as one range, or nothing if there are none."""
    for last in compiled.latest(start, until, 1):
        first = next(compiled.between(start, last))
        return (Missed(first, last, compiled.count(start, last)),)
    return ()
