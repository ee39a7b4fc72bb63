"""The tables. A row says what should be; workflows are replaceable."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import JsonValue
from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlmodel import Field, SQLModel

from cronny.store.columns import Instant, Json, text_enum

RETENTION_DAYS = 90  # of a tenant for whom nothing else is said

IS_OPEN = "state = 'executing' or reason in ('queued', 'concurrency', 'tenant_limit')"  # or waits for one
IS_LIMITED = f"is_guarded and ({IS_OPEN})"

IN_BACKFILL = text("backfill_id <> '' and state = 'scheduled'")  # what of backfills is still to be started
IS_PENDING = text("settled_at is null")
# What partial indexes hold. A query that is to use one repeats its text: neither database can tell otherwise.
IS_RARE = "state in ('failed', 'cancelled', 'skipped', 'missed')"
HAS_REASON = "reason <> ''"
IS_BY_HAND = "generation = 0"
IS_RERUN = "rerun_of is not null"

# Columns that came later, for the rows that were there before.
EMPTY = {"server_default": text("''")}
ZERO = {"server_default": text("0")}


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _own_due(context: DefaultExecutionContext) -> datetime:
    row = context.get_current_parameters()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it so
    due: datetime = row["due"]
    return due


class ScheduleState(StrEnum):
    """How far a schedule's fires have been handed out."""

    PENDING = "pending"  #: Stored; its schedule workflow has not read this rule yet.
    SCHEDULED = "scheduled"  #: Being allocated.
    PROCESSED = "processed"  #: No fire left.


class TriggerState(StrEnum):
    """What became of a fire."""

    SCHEDULED = "scheduled"  #: In the ledger, not claimed yet.
    EXECUTING = "executing"  #: Claimed by a workflow run.
    COMPLETED = "completed"  #: Its action ended well.
    FAILED = "failed"  #: Its action ended with an unhandled error.
    CANCELLED = "cancelled"  #: Stopped by a person while executing.
    SKIPPED = "skipped"  #: Left out on purpose; the reason says why.
    MISSED = "missed"  #: Fell due while nothing could execute it, and the catch-up rule left it.


class StageState(StrEnum):
    """What became of a stage within a trigger."""

    STARTED = "started"  #: Its side effect may have happened.
    COMPLETED = "completed"  #: Ended well; its output is final.
    FAILED = "failed"  #: Out of attempts.
    SKIPPED = "skipped"  #: Not executed: its condition or its incoming connectors said so.


class EventKind(StrEnum):
    """What people, programs and the watchdog do, as the event table names it."""

    ACTION_SAVED = "action_saved"  #: Uploaded with another text: a new version.
    ACTION_ROLLED_BACK = "action_rolled_back"  #: An older text became the newest version.
    ACTION_DELETED = "action_deleted"  #: Taken away; its versions and its ledger stay.
    VARIABLE_SAVED = "variable_saved"  #: Written with another value, which the event does not tell.
    VARIABLE_DELETED = "variable_deleted"  #: Forgotten.
    SECRET_SAVED = "secret_saved"  #: Written.  # noqa: S105
    SECRET_DELETED = "secret_deleted"  #: Forgotten.  # noqa: S105
    KEY_CREATED = "key_created"  #: An API key was made; its details say with which role and scopes.
    KEY_REVOKED = "key_revoked"  #: An API key was taken back.
    CONNECTION_SAVED = "connection_saved"  #: Written, secrets included.
    CONNECTION_DELETED = "connection_deleted"  #: Forgotten.
    CALENDAR_SAVED = "calendar_saved"  #: Written with another text; what it holds may be the same.
    CALENDAR_DELETED = "calendar_deleted"  #: Forgotten.
    SCHEDULE_CREATED = "schedule_created"  #: Written for the first time, or again after its deletion.
    SCHEDULE_CHANGED = "schedule_changed"  #: Another rule, action or inputs; its details say from when on.
    SCHEDULE_PAUSED = "schedule_paused"  #: The note says why.
    SCHEDULE_RESUMED = "schedule_resumed"  #: Fires again.
    SCHEDULE_DELETED = "schedule_deleted"  #: Taken away; its ledger stays.
    SCHEDULE_WOKEN = "schedule_woken"  #: The watchdog told its workflow what the row says.
    FIRE_SKIPPED = "fire_skipped"  #: A single fire is left out.
    FIRE_MOVED = "fire_moved"  #: A single fire happens at another instant.
    FIRE_INPUTS = "fire_inputs"  #: A single fire is given other inputs.
    FIRE_VOID = "fire_void"  #: A moved fire is not among those of its rule any more.
    FIRE_RESTORED = "fire_restored"  #: A single fire is as its rule says again.
    BACKFILL_STARTED = "backfill_started"  #: A range of the past is to be executed.
    BACKFILL_CANCELLED = "backfill_cancelled"  #: What of it had not begun is left out.
    SCHEDULE_REPLACED = "schedule_replaced"  #: The watchdog started its workflow afresh: it did not wake.
    CATCHUP_APPROVED = "catchup_approved"  #: Fires that were missed are executed after all.
    CATCHUP_DECLINED = "catchup_declined"  #: Fires that were missed stay so.
    TRIGGER_REQUESTED = "trigger_requested"  #: Asked for by hand, by a webhook or by another action.
    APPROVAL_REQUESTED = "approval_requested"  #: A stage waits for people to decide.
    APPROVAL_GIVEN = "approval_given"  #: Somebody approved.
    APPROVAL_REFUSED = "approval_refused"  #: Somebody rejected.
    APPROVAL_EXPIRED = "approval_expired"  #: Nobody decided in time.
    APPROVAL_WITHDRAWN = "approval_withdrawn"  #: The trigger ended meanwhile.
    WAIT_CALLED = "wait_called"  #: The URL of a waiting stage was called.
    WEBHOOK_SAVED = "webhook_saved"  #: Written; its token stays.
    WEBHOOK_ROTATED = "webhook_rotated"  #: It has another token.
    WEBHOOK_DELETED = "webhook_deleted"  #: Forgotten.
    TRIGGER_CANCELLED = "trigger_cancelled"  #: To be stopped, or stopped at once, as somebody asked.
    TRIGGER_STARTED = "trigger_started"  #: The watchdog made sure that an unclaimed trigger has a workflow.
    TRIGGER_STUCK = "trigger_stuck"  #: The watchdog says what keeps a trigger that is past its due.
    TRIGGER_GIVEN_UP = "trigger_given_up"  #: The watchdog settled a trigger whose workflow cannot start it.
    TRIGGER_LOST = "trigger_lost"  #: The watchdog settled a trigger whose workflow is gone.


class ChangeKind(StrEnum):
    """What an operator asks of a single fire."""

    SKIP = "skip"  #: Leave it out.
    MOVE = "move"  #: Let it happen at another instant.
    INPUTS = "inputs"  #: Give it other inputs.


class Tenant(SQLModel, table=True):
    """Who owns everything; one task queue each."""

    __tablename__ = "tenant"
    id: str = Field(primary_key=True)
    slug: str = Field(unique=True)
    pool: str = Field(default="default", index=True)
    retention_days: int = RETENTION_DAYS  # after these, what has ended is purged
    limit_running_triggers: int | None = None  # none of these: as many as there are
    limit_schedules: int | None = None
    limit_actions: int | None = None
    limit_minimum_interval: int | None = None  # seconds between two fires of a schedule, at the least
    limit_input_bytes: int | None = None
    limit_output_bytes: int | None = None
    limit_kept_bytes: int | None = Field(default=None, sa_type=BigInteger)
    created_at: datetime = Field(sa_type=Instant)


class ApiKey(SQLModel, table=True):
    """An API key, kept as its HMAC."""

    __tablename__ = "api_key"
    id: str = Field(primary_key=True)
    tenant_id: str = Field(foreign_key="tenant.id", index=True)
    name: str
    digest: str = Field(unique=True)
    role: str = "admin"
    scopes: JsonValue = Field(default=None, sa_type=Json, nullable=True)  # what of the role it may; null: all
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)  # to within some minutes


class ActionRow(SQLModel, table=True):
    """A named action; its text stands in its versions."""

    __tablename__ = "action"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)
    id: str = Field(primary_key=True)
    tenant_id: str = Field(foreign_key="tenant.id")
    name: str
    version: int
    priority: int | None = None  # of its newest version, unless that is the middle one
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    deleted_at: datetime | None = Field(default=None, sa_type=Instant)


class ActionVersion(SQLModel, table=True):
    """One upload of an action: immutable, the text as it was written beside the checked model."""

    __tablename__ = "action_version"
    action_id: str = Field(foreign_key="action.id", primary_key=True)
    version: int = Field(primary_key=True)
    source: str
    model: JsonValue = Field(sa_type=Json)
    actor: str = ""  # who made it: the name of an API key
    restored: int | None = None  # of a rollback: the version whose text this is
    created_at: datetime = Field(sa_type=Instant)


class ScheduleRow(SQLModel, table=True):
    """A schedule: its rule, and how far it has been allocated."""

    __tablename__ = "schedule"
    __table_args__ = (UniqueConstraint("tenant_id", "name"), Index("ix_schedule_next_due", "next_due"))
    id: str = Field(primary_key=True)
    tenant_id: str = Field(foreign_key="tenant.id")
    name: str
    action_id: str = Field(foreign_key="action.id", index=True)
    is_embedded: bool = False  # written in the action's own text, which alone may change or remove it
    source: JsonValue = Field(sa_type=Json)  # the rule as it was given: a phrase or a mapping
    inputs: JsonValue = Field(sa_type=Json)
    calendars: JsonValue = Field(default=None, sa_type=Json, nullable=True)  # the names in it, or null
    generation: int = 1
    observed_generation: int = 0
    is_paused: bool = False
    paused_until: datetime | None = Field(default=None, sa_type=Instant)  # the pause ends then by itself
    note: str = ""
    anchor: datetime = Field(sa_type=Instant)  # the instant the rule was first saved
    cursor: datetime = Field(sa_type=Instant)  # every fire up to here has its row
    skip_until: datetime | None = Field(default=None, sa_type=Instant)  # fires up to here fell into a pause
    next_due: datetime | None = Field(default=None, sa_type=Instant)  # the first fire after the cursor
    wake_at: datetime | None = Field(default=None, sa_type=Instant)  # when next_due is to be allocated
    last_due: datetime | None = Field(default=None, sa_type=Instant)  # the latest fire that was allocated
    fires: int = 0  # how many nominal fires have a row
    has_changes: bool = False  # single fires of it were changed by an operator
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    deleted_at: datetime | None = Field(default=None, sa_type=Instant)

    def state(self, now: datetime) -> ScheduleState:
        """Where the schedule stands at `now`."""
        if self.observed_generation < self.generation:
            return ScheduleState.PENDING
        if self.next_due is None and (self.last_due is None or self.last_due <= now):
            return ScheduleState.PROCESSED
        return ScheduleState.SCHEDULED


class TriggerRow(SQLModel, table=True):
    """The ledger: one row for each nominal fire, whatever became of it.

    It has no foreign keys: rows outlive what they name, and each key costs a lock on the hottest path.
    """

    __tablename__ = "trigger"
    __table_args__ = (
        Index("ix_trigger_fire", "schedule_id", "due", "backfill_id", unique=True),
        Index("ix_trigger_backfill", "planned", sqlite_where=IN_BACKFILL, postgresql_where=IN_BACKFILL),
        Index("ix_trigger_tenant_due", "tenant_id", "due", "id"),
        Index("ix_trigger_state_due", "state", "due"),
        Index("ix_trigger_action_due", "action_id", "due", "id"),
        # Most rows are completed. The others are few, and cheap to find among them.
        Index("ix_trigger_rare", "tenant_id", "state", "due", "id", **_where(IS_RARE)),
        Index("ix_trigger_schedule_rare", "schedule_id", "state", "due", "id", **_where(IS_RARE)),
        Index("ix_trigger_reason", "tenant_id", "reason", "due", "id", **_where(HAS_REASON)),
        Index("ix_trigger_by_hand", "tenant_id", "generation", "due", "id", **_where(IS_BY_HAND)),
        # Few rows are open at once: what a guarded claim looks at among all the rows of a schedule.
        Index("ix_trigger_open", "schedule_id", **_where(IS_OPEN)),
        Index("ix_trigger_limited", "tenant_id", "action_id", **_where(IS_LIMITED)),
        Index("ix_trigger_rerun", "rerun_of", **_where(IS_RERUN)),
    )
    id: str = Field(primary_key=True)
    tenant_id: str
    action_id: str
    action_version: int
    schedule_id: str | None = Field(default=None)  # none: asked for by hand
    due: datetime = Field(sa_type=Instant)
    planned: datetime = Field(  # when it is to start: the due, later where its schedule says jitter or spread
        default=None, sa_type=Instant, nullable=False, sa_column_kwargs={"default": _own_due}
    )
    parent_id: str = Field(default="", sa_column_kwargs=EMPTY)  # the trigger whose stage asked for it
    depth: int = Field(default=0, sa_column_kwargs=ZERO)  # of actions that trigger one another
    webhook: str = Field(default="", sa_column_kwargs=EMPTY)  # the name of the webhook that was called
    rerun_of: str | None = None  # the trigger of which it repeats a part
    backfill_id: str = ""  # of a fire of the past that is executed for the sake of a backfill
    until: datetime | None = Field(
        default=None, sa_type=Instant
    )  # the last due of a row that stands for many
    count: int = 1  # nominal fires this row stands for
    number: int = 0  # 1 for the first fire of the schedule, and so on
    state: TriggerState = Field(default=TriggerState.SCHEDULED, sa_type=text_enum(TriggerState))
    reason: str = ""
    generation: int = 0
    is_guarded: bool = False  # its claim and its end look at more than its own row
    overlap: str = "allow"  # what its claim does while another trigger of its schedule executes
    concurrency_limit: int | None = None  # of its action; written by its claim, as the key is
    concurrency_key: str | None = None
    is_postponed: bool | None = None  # allocated late: its tenant was beyond its rate
    priority: int | None = None  # where it differs from the middle one
    start_by: datetime | None = Field(default=None, sa_type=Instant)  # a later claim finds it missed
    complete_on: str = "finish"
    workflow_id: str = ""
    run_id: str = ""  # the workflow run that claimed it
    is_test: bool | None = None  # of its action: what has side effects is stood in for
    test: JsonValue = Field(default=None, sa_type=Json, nullable=True)  # how, of a test
    inputs: JsonValue = Field(sa_type=Json)
    outputs: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    error: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    large: JsonValue = Field(default=None, sa_type=Json, nullable=True)  # which values are kept elsewhere
    allocated_at: datetime = Field(sa_type=Instant)
    started_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)


class FireChange(SQLModel, table=True):
    """What an operator asked of a single fire; whatever becomes of the rule, it stays until it is undone."""

    __tablename__ = "fire_change"
    __table_args__ = (
        Index("ix_fire_change_pending", "moved_to", sqlite_where=IS_PENDING, postgresql_where=IS_PENDING),
    )
    schedule_id: str = Field(primary_key=True)
    due: datetime = Field(sa_type=Instant, primary_key=True)
    kind: ChangeKind = Field(sa_type=text_enum(ChangeKind), primary_key=True)
    tenant_id: str
    moved_to: datetime | None = Field(default=None, sa_type=Instant)
    inputs: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    actor: str
    note: str = ""
    at: datetime = Field(sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant)  # a moved fire has had its time


class BackfillRow(SQLModel, table=True):
    """A range of the past that is executed at a bounded rate; its fires are rows of the ledger."""

    __tablename__ = "backfill"
    __table_args__ = (Index("ix_backfill_schedule", "schedule_id", "created_at", "id"),)
    id: str = Field(primary_key=True)
    tenant_id: str
    schedule_id: str
    since: datetime = Field(sa_type=Instant)
    until: datetime = Field(sa_type=Instant)
    total: int
    rate: int  # triggers a minute
    overlap: str
    inputs: JsonValue = Field(sa_type=Json)
    actor: str
    note: str = ""
    created_at: datetime = Field(sa_type=Instant)
    cancelled_at: datetime | None = Field(default=None, sa_type=Instant)


class StageRow(SQLModel, table=True):
    """The record of one stage of one trigger."""

    __tablename__ = "stage_record"
    trigger_id: str = Field(primary_key=True)
    stage_id: str = Field(primary_key=True)
    state: StageState = Field(sa_type=text_enum(StageState))
    attempt: int = 1
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    input: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    output: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    error: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    fired: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    large: JsonValue = Field(default=None, sa_type=Json, nullable=True)  # which values are kept elsewhere
    taken_over: bool | None = None  # by a re-run, from the trigger that it repeats
    log: str = ""


class EventRow(SQLModel, table=True):
    """Something that was done; like the ledger it outlives what it names, so that it has no foreign keys."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_tenant", "tenant_id", "at", "id"),
        Index("ix_event_schedule", "schedule_id", "at", "id"),
        Index("ix_event_trigger", "trigger_id"),
    )
    id: str = Field(primary_key=True)
    tenant_id: str
    at: datetime = Field(sa_type=Instant)
    kind: str  # a member of EventKind, or one that a later version knows
    actor: str = ""  # the name of an API key, or of a part of Cronny such as the watchdog
    note: str = ""
    action_id: str | None = None
    schedule_id: str | None = None
    trigger_id: str | None = None
    details: JsonValue = Field(sa_type=Json)


class ConnectionRow(SQLModel, table=True):
    """A tenant's named endpoint; the secret fields are one sealed text."""

    __tablename__ = "connection"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)
    id: str = Field(primary_key=True)
    tenant_id: str = Field(foreign_key="tenant.id")
    name: str
    kind: str
    settings: JsonValue = Field(sa_type=Json)
    sealed: str
    revision: int = 1
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)  # to within some minutes
    checked: JsonValue = Field(default=None, sa_type=Json, nullable=True)  # what its last test found
