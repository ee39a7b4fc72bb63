"""The table of what stages wait for."""

from datetime import datetime
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from cronny.store.columns import Instant, Json

IS_OPEN_WAIT: dict[str, Any] = {
    "sqlite_where": text("closed_at is null"),
    "postgresql_where": text("closed_at is null"),
}


class WaitRow(SQLModel, table=True):
    """What one attempt of a stage waits for; like the ledger it outlives what it names."""

    __tablename__ = "wait"
    __table_args__ = (
        UniqueConstraint("trigger_id", "stage_id", "item", "attempt"),
        Index("ix_wait_open", "until", "id", **IS_OPEN_WAIT),
        Index("ix_wait_tenant", "tenant_id", "kind", "opened_at", "id"),
        Index("ix_wait_child", "child_id"),
    )
    id: str = Field(primary_key=True)
    tenant_id: str
    trigger_id: str
    stage_id: str
    item: int = -1  # of a stage with `foreach`
    attempt: int = 1
    workflow_id: str = ""  # whom to tell
    kind: str
    message: str = ""
    approvers: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    needed: int = 0
    digest: str | None = Field(default=None, unique=True)  # of the token in its URL
    key_id: str = ""  # the key that signs its URLs
    child_id: str = ""  # the trigger it waits for
    opened_at: datetime = Field(sa_type=Instant)
    due_at: datetime | None = Field(default=None, sa_type=Instant)  # it ends well by itself then
    until: datetime = Field(sa_type=Instant)  # it ends then, whatever was answered
    remind_at: datetime | None = Field(default=None, sa_type=Instant)
    reminded_at: datetime | None = Field(default=None, sa_type=Instant)
    fired: JsonValue = Field(default=None, sa_type=Json, nullable=True)  # connectors that did not wait
    answers: JsonValue = Field(default=None, sa_type=Json, nullable=True)  # decisions, or what was sent
    answered_at: datetime | None = Field(default=None, sa_type=Instant)  # nothing more is waited for
    closed_at: datetime | None = Field(default=None, sa_type=Instant)  # its stage has taken the answer up
