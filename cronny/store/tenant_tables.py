"""The tables of what a tenant keeps for its actions and schedules: variables, secrets and calendars."""

from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from cronny.store.columns import Instant, Json


class VariableRow(SQLModel, table=True):
    """A tenant's named value, which anybody of the tenant may read."""

    __tablename__ = "variable"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)
    id: str = Field(primary_key=True)
    tenant_id: str = Field(foreign_key="tenant.id")
    name: str
    value: JsonValue = Field(sa_type=Json)
    revision: int = 1
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class VariableValueRow(SQLModel, table=True):
    """What a variable was from an instant on, kept as long as a trigger may need it."""

    __tablename__ = "variable_value"
    tenant_id: str = Field(foreign_key="tenant.id", primary_key=True)
    name: str = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant, primary_key=True)
    value: JsonValue = Field(default=None, sa_type=Json, nullable=True)  # null: there was none


class SecretRow(SQLModel, table=True):
    """A tenant's named secret: one sealed text, which only the activity that uses it opens."""

    __tablename__ = "secret"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)
    id: str = Field(primary_key=True)
    tenant_id: str = Field(foreign_key="tenant.id")
    name: str
    sealed: str
    revision: int = 1
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)  # to within some minutes


class CalendarRow(SQLModel, table=True):
    """A tenant's named set of dates: its text as it was written beside what was read from it."""

    __tablename__ = "calendar"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)
    id: str = Field(primary_key=True)
    tenant_id: str = Field(foreign_key="tenant.id")
    name: str
    kind: str
    source: str
    model: JsonValue = Field(sa_type=Json)
    revision: int = 1
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
