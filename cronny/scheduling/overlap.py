"""What becomes of a trigger that is to start while another of its schedule executes."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Overlap(StrEnum):
    """A schedule's choice."""

    ALLOW = "allow"  #: Execute beside the others.
    SKIP = "skip"  #: Leave this fire out.
    QUEUE_ONE = "queue_one"  #: Wait for the others, unless one waits already; then leave it out.
    QUEUE_ALL = "queue_all"  #: Wait for the others, in order.
    CANCEL_RUNNING = "cancel_running"  #: Ask the others to end, wait until they have, then execute.
    KILL_RUNNING = "kill_running"  #: End the others and execute at once.


class Turn(StrEnum):
    """What a trigger is to do now."""

    RUN = "run"  #: Execute.
    SKIP = "skip"  #: Not at all.
    QUEUE = "queue"  #: Ask again when one of the others has ended.


@dataclass(frozen=True)
class Others:
    """The other triggers of its schedule that have not ended, by id; those that wait in order."""

    running: Sequence[str] = ()
    ahead: Sequence[str] = ()  #: Waiting and planned earlier.
    behind: Sequence[str] = ()  #: Waiting and planned later.


@dataclass(frozen=True)
class Decision:
    """What a trigger is to do, and what happens to others for its sake."""

    turn: Turn
    cancel: tuple[str, ...] = ()
    kill: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()  #: Of those that wait: skipped, as it takes their place.


def decide(overlap: Overlap, others: Others, is_waiting: bool) -> Decision:
    """What becomes of a trigger that is due; `is_waiting` of one that was queued before."""
    match overlap:
        case Overlap.ALLOW:
            return Decision(Turn.RUN)
        case Overlap.KILL_RUNNING:
            return Decision(Turn.RUN, kill=tuple(others.running))
        case Overlap.CANCEL_RUNNING:
            return _cancelling(others)
    if not others.running and not others.ahead:
        return Decision(Turn.RUN)
    if overlap is Overlap.QUEUE_ALL:
        return Decision(Turn.QUEUE)
    has_place = is_waiting or not (others.ahead or others.behind)
    return Decision(Turn.QUEUE if overlap is Overlap.QUEUE_ONE and has_place else Turn.SKIP)


def _cancelling(others: Others) -> Decision:
    # Only the latest counts: whoever makes others end would be ended by it at once.
    if others.behind:
        return Decision(Turn.SKIP)
    ahead = tuple(others.ahead)
    if not others.running:
        return Decision(Turn.RUN, leave_out=ahead)
    return Decision(Turn.QUEUE, cancel=tuple(others.running), leave_out=ahead)
