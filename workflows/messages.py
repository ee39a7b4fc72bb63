"""What workflows and activities say to one another: ids, instants and edges, never a payload or a secret."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from dsl.plan import PlannedStage


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
    allocated: datetime | None = None  #: When it was handed out, if it is to be held from then on.
    workflow_id: str
    is_guarded: bool = False  #: Others of its schedule may wait for its end, or be ended by it.
    priority: int | None = None  #: Temporal's priority key, unless it is the middle one.

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


StageStatus = Literal[
    "completed", "failed", "skipped", "unclaimed", "queued", "retrying", "opened", "waiting", "cancelled"
]


class Outcome(Message):
    """How the graph of a trigger ended, for what is executed behind it."""

    status: Literal["completed", "failed", "cancelled"]
    failed: tuple[str, ...] = ()  #: The failed stages that nothing handled.
    not_undone: tuple[str, ...] = ()  #: The stages whose effect could not be taken back.


class Branch(Message):
    """What is executed for one failed attempt of a stage."""

    source: str
    attempt: int

    @property
    def suffix(self) -> str:
        """What tells the records of its stages from those of other attempts."""
        return f".{self.source}.{self.attempt}"


class StageCall(Message):
    """Execute one stage of a trigger, or one item of it."""

    fire: Fire
    stage_id: str
    run_id: str
    incoming: tuple[int, ...] = ()  #: The connectors that fired into the stage.
    is_root: bool = False  #: Roots wait for the due and claim the trigger.
    item: int | None = None  #: The number of the item, of a stage with `foreach`.
    attempt: int = 0  #: Of a stage whose failed attempts are followed: the one that is asked for.
    branch: Branch | None = None
    outcome: Outcome | None = None  #: Of what is executed behind the graph.

    @property
    def record_id(self) -> str:
        """The id of its record; that of the stage, except in a branch."""
        return self.stage_id + self.suffix

    @property
    def suffix(self) -> str:
        """What its id and its record's id differ by."""
        return self.branch.suffix if self.branch is not None else ""


class Execution(Message):
    """The workflow run that executes a trigger."""

    workflow_id: str
    run_id: str


class StageResult(Message):
    """How a stage ended and which of its outgoing connectors fired.

    `unclaimed` means: do nothing more; `queued`: ask again when another trigger has ended; `retrying`: ask
    for the next attempt after the delay; `opened`: its items are to be executed; `waiting`: ask again when
    told to, or at the wake; `cancelled`: given up while it waited.
    """

    status: StageStatus
    fired: tuple[int, ...] = ()
    cancel: tuple[Execution, ...] = ()  #: What a queued trigger asks to end.
    delay: timedelta = timedelta()  #: Before the next attempt.
    items: int = 0  #: How many there are.
    wake: datetime | None = None  #: Of one that waits.
    early: tuple[int, ...] = ()  #: The outgoing connectors of one that waits that are settled already.


class Settlement(Message):
    """How a trigger ended."""

    fire: Fire
    run_id: str
    status: Literal["completed", "failed", "cancelled"]
    failed: tuple[str, ...] = ()  #: The failed stages that nothing handled.
    skipped: tuple[str, ...] = ()  #: The stages that never became ready.
    stopped: tuple[str, ...] = ()  #: The stages that were left open when the trigger was cancelled.
    not_undone: tuple[str, ...] = ()  #: The stages whose effect could not be taken back.


class ItemsCall(Message):
    """Execute the items of a stage, from one on."""

    call: StageCall
    stage: PlannedStage
    count: int
    first: int = 0


class Settled(Message):
    """Who waits for the end of a trigger."""

    release: tuple[str, ...]  #: Workflow ids.


class CheckCall(Message):
    """Test a connection."""

    tenant: str
    connection_id: str
    connection: str  #: Its name, for those who look at Temporal.
