"""What an explanation says."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """What an explanation comes to, for programs."""

    COMPLETED = "completed"  #: It fired and ended well.
    FAILED = "failed"  #: It fired and ended with an error.
    CANCELLED = "cancelled"  #: It fired and was stopped.
    EXECUTING = "executing"  #: It fired and goes on.
    LATE = "late"  #: It is past its due and has not begun.
    SKIPPED = "skipped"  #: It was left out on purpose.
    MISSED = "missed"  #: Nothing could execute it.
    WILL_FIRE = "will_fire"  #: It is still to come.
    WILL_NOT_FIRE = "will_not_fire"  #: It would be to come, but something stands against it.
    NO_FIRE = "no_fire"  #: The rule has no fire there.
    SEVERAL = "several"  #: There are several; ask for one of them.
    UNKNOWN = "unknown"  #: The rule has a fire there, the ledger has not.


@dataclass(frozen=True)
class Answer:
    """A sentence, and what it rests on."""

    outcome: Outcome
    sentence: str
    due: datetime | None = None
    nearest: tuple[datetime, ...] = ()  #: The fires before and after, where there is none.
    count: int = 1  #: Of fires, where there are several.
