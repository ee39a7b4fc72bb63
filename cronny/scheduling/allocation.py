"""Which fires get a ledger row now, as what, and when to look again: pure decisions over a compiled rule."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronny.scheduling.catchup import Missed, catch_up, left_out
from cronny.scheduling.compiled import Compiled
from dsl.options import Catchup

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
    """The fires between the cursor and a little beyond now, each as exactly one of run, skipped or missed."""
    resumed = max(position.cursor, position.skip_until or position.cursor)
    late = max(resumed, now - GRACE)
    decision = catch_up(compiled, resumed, late, catchup, CAP)
    until = max(late, _horizon(compiled, position, late, now))
    return Handout(
        run=(*decision.run, *compiled.between(late, until)),
        skipped=left_out(compiled, position.cursor, resumed),
        missed=decision.missed,
        cursor=until,
        next_due=compiled.next(until),
    )


def _horizon(compiled: Compiled, position: Position, late: datetime, now: datetime) -> datetime:
    """How far to allocate: the lead, further for the fire that is waited for, and for frequent schedules."""
    horizon = now + LEAD
    if position.wake_at is not None and position.wake_at <= now:
        # The fire after the cursor, not the one after now: an overslept wake is not one for the next fire.
        horizon = max(horizon, compiled.next(position.cursor) or horizon)
    first = compiled.next(late)
    second = compiled.next(first) if first is not None and first <= horizon else None
    is_frequent = first is not None and second is not None and second - first < FREQUENT
    return horizon + WINDOW if is_frequent else horizon
