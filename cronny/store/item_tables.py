"""The tables of what a stage does more than once: its items, and attempts that failed."""

from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue
from sqlalchemy import Integer
from sqlmodel import Field, SQLModel

from cronny.store.columns import Instant, Json, text_enum


class ItemState(StrEnum):
    """What became of one item of a stage with `foreach`."""

    WAITING = "waiting"  #: Its turn has not come.
    STARTED = "started"  #: Its side effect may have happened.
    COMPLETED = "completed"  #: Ended well; its output is final.
    FAILED = "failed"  #: Out of attempts.
    SKIPPED = "skipped"  #: Its condition said so.


class ItemRow(SQLModel, table=True):
    """The record of one item of a stage with `foreach`."""

    __tablename__ = "item_record"
    trigger_id: str = Field(primary_key=True)
    stage_id: str = Field(primary_key=True)
    item: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs={"autoincrement": False})
    state: ItemState = Field(default=ItemState.WAITING, sa_type=text_enum(ItemState))
    attempt: int = 0
    started_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    value: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    input: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    output: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    error: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    large: JsonValue = Field(default=None, sa_type=Json, nullable=True)  # which values are kept elsewhere
    log: str = ""


class AttemptRow(SQLModel, table=True):
    """A failed attempt of a stage, or of one of its items, that was tried again."""

    __tablename__ = "attempt_record"
    trigger_id: str = Field(primary_key=True)
    stage_id: str = Field(primary_key=True)
    item: int = Field(  # -1: of the stage itself
        primary_key=True, sa_type=Integer, sa_column_kwargs={"autoincrement": False}
    )
    attempt: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs={"autoincrement": False})
    failed_at: datetime = Field(sa_type=Instant)
    error: JsonValue = Field(default=None, sa_type=Json, nullable=True)
    log: str = ""
