"""What workflows and activities say to one another: ids, instants and edges, never a payload or a secret."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """A frozen value that crosses Temporal."""

    model_config = ConfigDict(frozen=True)


class ScheduleRef(Message):
    """A schedule as its workflow knows it."""

    tenant: str
    schedule_id: str


class Fire(Message):
    """A trigger as its workflow knows it."""

    tenant: str
    trigger_id: str
    action_id: str
    action: str
    version: int
    schedule: str
    number: int
    generation: int
    due: datetime
    planned: datetime | None = None  #: When to start, if not at the due.
    hold_from: datetime | None = (
        None  #: Before this instant the workflow sleeps on a timer instead of holding.
    )
    workflow_id: str
    is_guarded: bool = False  #: Others of its schedule may wait for its end, or be ended by it.

    @property
    def start_at(self) -> datetime:
        """When it is to start."""
        return self.planned or self.due


class AllocateCall(Message):
    """Ask for the fires that were not handed out before."""

    schedule: ScheduleRef
    generation: int = 0
    spawned: datetime | None = None  #: The latest due, of that generation, whose workflow was started.


class Allocation(Message):
    """The fires to start now, and when to ask again; no wake means that nothing is left to wait for."""

    generation: int
    fires: tuple[Fire, ...]
    wake: datetime | None


StageStatus = Literal["completed", "failed", "skipped", "unclaimed", "queued"]


class StageCall(Message):
    """Execute one stage of a trigger."""

    fire: Fire
    stage_id: str
    run_id: str
    incoming: tuple[int, ...] = ()  #: The connectors that fired into the stage.
    is_root: bool = False  #: Roots wait for the due and claim the trigger.


class Execution(Message):
    """The workflow run that executes a trigger."""

    workflow_id: str
    run_id: str


class StageResult(Message):
    """How a stage ended and which of its outgoing connectors fired.

    `unclaimed` means: do nothing more; `queued`: ask again when another trigger has ended.
    """

    status: StageStatus
    fired: tuple[int, ...] = ()
    cancel: tuple[Execution, ...] = ()  #: What a queued trigger asks to end.


class Settlement(Message):
    """How a trigger ended."""

    fire: Fire
    run_id: str
    status: Literal["completed", "failed", "cancelled"]
    failed: tuple[str, ...] = ()  #: The failed stages that nothing handled.
    skipped: tuple[str, ...] = ()  #: The stages that never became ready.


class Settled(Message):
    """Who waits for the end of a trigger."""

    release: tuple[str, ...]  #: Workflow ids.


class CheckCall(Message):
    """Test a connection."""

    tenant: str
    connection_id: str
    connection: str  #: Its name, for those who look at Temporal.
