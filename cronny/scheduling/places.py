"""What becomes of a trigger whose action executes as often at once as it may."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cronny.scheduling.overlap import Decision, Turn


class OnLimit(StrEnum):
    """An action's choice."""

    QUEUE = "queue"  #: Wait for a place, in order.
    SKIP = "skip"  #: Leave this trigger out.
    CANCEL_RUNNING = "cancel_running"  #: Ask the oldest ones to end, wait for the place, then execute.


@dataclass(frozen=True)
class Places:
    """Who has one of the places, and who waits for one, by id; the oldest first."""

    limit: int
    running: Sequence[str] = ()
    leaving: int = 0  #: Of those that execute, how many more were asked to end.
    ahead: Sequence[str] = ()  #: Waiting and planned earlier.
    behind: Sequence[str] = ()  #: Waiting and planned later.

    @property
    def is_full(self) -> bool:
        """Whether nothing is left for one that comes now; who waits has a place before it."""
        return len(self.running) + self.leaving + len(self.ahead) >= self.limit


def decide_place(on_limit: OnLimit, places: Places) -> Decision:
    """What becomes of a trigger that is due."""
    if on_limit is OnLimit.CANCEL_RUNNING:
        return _cancelling(places)
    if not places.is_full:
        return Decision(Turn.RUN)
    return Decision(Turn.SKIP if on_limit is OnLimit.SKIP else Turn.QUEUE)


def _cancelling(places: Places) -> Decision:
    # The newest keep the places: whoever makes older ones end would else be ended by those behind it.
    kept = places.limit - 1 - len(places.behind)
    if kept < 0:
        return Decision(Turn.SKIP)
    older = [*places.running, *places.ahead]
    given_up = set(older[: max(len(older) - kept, 0)])
    waiting = [one for one in places.ahead if one not in given_up]
    is_full = len(places.running) + places.leaving + len(waiting) >= places.limit
    return Decision(
        Turn.QUEUE if is_full else Turn.RUN,
        cancel=tuple(one for one in places.running if one in given_up),
        leave_out=tuple(one for one in places.ahead if one in given_up),
    )
