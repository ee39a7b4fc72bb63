"""What a schedule asks of its fires beside their dues, as their ledger rows keep it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronny.scheduling.compiled import Compiled
from cronny.scheduling.planned import planned
from dsl.options import Overlap
from dsl.schedule import Schedule

CAUGHT_UP = "catchup"  # the reason of fires that the catch-up rule has left out
AWAITING_APPROVAL = "awaiting_approval"  # of those that somebody may yet ask for


def _on_its_due(due: datetime) -> datetime:
    return due


@dataclass(frozen=True)
class Terms:
    """The options that a fire is subject to from its allocation on, whatever becomes of its schedule."""

    overlap: Overlap = "allow"
    deadline: timedelta | None = None
    complete_on: str = "finish"
    missed_reason: str = CAUGHT_UP
    is_guarded: bool = False
    planned: Callable[[datetime], datetime] = _on_its_due


FREE = Terms()  # of fires that nothing is asked of


def terms_of(schedule: Schedule, compiled: Compiled, schedule_id: str) -> Terms:
    """The terms of a schedule's fires."""
    return Terms(
        overlap=schedule.overlap,
        deadline=schedule.deadline,
        complete_on=schedule.complete_on,
        missed_reason=AWAITING_APPROVAL if schedule.catchup.mode == "ask" else CAUGHT_UP,
        is_guarded=_is_guarded(schedule),
        planned=_planning(schedule, compiled, schedule_id),
    )


def _is_guarded(schedule: Schedule) -> bool:
    """Whether a claim or an end must look beyond its own row."""
    return (
        schedule.overlap != "allow"
        or schedule.deadline is not None
        or schedule.complete_on != "finish"
        or schedule.pause_after_failures is not None
    )


def _planning(schedule: Schedule, compiled: Compiled, schedule_id: str) -> Callable[[datetime], datetime]:
    if not schedule.jitter and not schedule.spread:
        return _on_its_due
    return lambda due: planned(schedule, schedule_id, due, compiled.next(due))
