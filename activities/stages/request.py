"""What a stage that waits asks for, and what comes of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue


@dataclass(frozen=True)
class Call:
    """Another action of the tenant, to be triggered."""

    action: str
    inputs: dict[str, JsonValue]
    is_awaited: bool


@dataclass(frozen=True)
class Request:
    """What a stage waits for; its timeout ends it in any case."""

    until: datetime | None = None  #: It ends well by itself then.
    message: str = ""  #: For those who decide.
    approvers: tuple[str, ...] = ()
    needed: int = 0  #: Approvals.
    remind_after: timedelta | None = None
    is_hook: bool = False  #: It ends when its own URL is called.
    call: Call | None = None


@dataclass(frozen=True)
class Answer:
    """How a wait ended."""

    at: datetime
    is_late: bool  #: It ended by its timeout.
    value: JsonValue = field(default=None, repr=False)  #: What was decided, sent or given back.
