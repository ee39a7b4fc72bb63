"""The tables of webhooks and of what was delivered to them."""

from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from cronny.store.columns import Instant, Json


class WebhookRow(SQLModel, table=True):
    """A secret URL that triggers an action; the token in it is kept as its digest."""

    __tablename__ = "webhook"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)
    id: str = Field(primary_key=True)
    tenant_id: str = Field(foreign_key="tenant.id")
    name: str
    action_id: str = Field(foreign_key="action.id", index=True)
    digest: str = Field(unique=True)
    settings: JsonValue = Field(sa_type=Json)
    sealed: str = ""  # the secret that signs, if there is one
    revision: int = 1
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    rotated_at: datetime | None = Field(default=None, sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    refused_at: datetime | None = Field(default=None, sa_type=Instant)
    refusal: str = ""  # why the last refused call was refused


class Delivery(SQLModel, table=True):
    """A call that made a trigger, remembered for a day."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (Index("ix_webhook_delivery_at", "webhook_id", "at"),)
    webhook_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    trigger_id: str
    fingerprint: str  # of the body
    at: datetime = Field(sa_type=Instant)
