"""Which fires get a ledger row now, as what, and when to look again: pure decisions over a compiled rule."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronny.scheduling.catchup import Catchup, Missed, catch_up, left_out
from cronny.scheduling.compiled import Compiled

LEAD = timedelta(seconds=5)  # rows and workflows exist this long before the due
GRACE = timedelta(minutes=1)  # a fire this late is merely late, not missed
FREQUENT = timedelta(seconds=60)  # schedules that fire more often are allocated in batches
WINDOW = timedelta(seconds=10)  # of further fires that one wake of a frequent schedule allocates
CAP = 1000  # fires that one catch-up executes at the most


@dataclass(frozen=True)
class Position:
    """How far a schedule has been allocated."""

    cursor: datetime
    skip_until: datetime | None  #: Fires up to here fell into a pause.
    wake_at: datetime | None  #: From here on the first fire after the cursor is to be allocated.


@dataclass(frozen=True)
class Handout:
    """What to write: fires to run, fires that a pause or the catch-up leaves out, and the new position."""

    run: tuple[datetime, ...]
    skipped: tuple[Missed, ...]
    missed: tuple[Missed, ...]
    cursor: datetime
    next_due: datetime | None


def hand_out(compiled: Compiled, position: Position, now: datetime, catchup: Catchup) -> Handout:
    """The fires between the cursor and a little beyond now."""
    start = position.cursor
    paused = max(start, position.skip_until or start)
    skipped = left_out(compiled, start, paused)
    start = paused
    late = max(start, now - GRACE)
    decision = catch_up(compiled, start, late, catchup, CAP)
    until = max(late, _horizon(compiled, start, position.wake_at, now))
    near = tuple(compiled.between(late, until))
    return Handout(
        run=(*decision.run, *near),
        skipped=skipped,
        missed=decision.missed,
        cursor=until,
        next_due=compiled.next(until),
    )


def _horizon(compiled: Compiled, after: datetime, wake_at: datetime | None, now: datetime) -> datetime:
    first = compiled.next(max(after, now - GRACE))
    if first is None:
        return now + LEAD
    is_awake = wake_at is not None and wake_at <= now
    horizon = max(now + LEAD, first) if is_awake else now + LEAD
    second = compiled.next(first)
    is_frequent = second is not None and second - first < FREQUENT
    return horizon + WINDOW if is_frequent and horizon >= first else horizon
