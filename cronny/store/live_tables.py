"""The table of what stages have logged that still run."""

from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import Integer
from sqlmodel import Field, SQLModel

from cronny.store.columns import Instant, Json

PLAIN = {"autoincrement": False}


class LiveRow(SQLModel, table=True):
    """Some lines of one execution of a stage, or of one of its items; its record takes their place."""

    __tablename__ = "live_log"
    trigger_id: str = Field(primary_key=True)
    stage_id: str = Field(primary_key=True)
    item: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs=PLAIN)  # -1: of the stage itself
    began: datetime = Field(primary_key=True, sa_type=Instant)  # the execution; a later one counts
    first: int = Field(primary_key=True, sa_type=Integer, sa_column_kwargs=PLAIN)  # of these lines, from 0
    attempt: int
    lines: JsonValue = Field(sa_type=Json)  # [microseconds, stream or null, text] each
    written_at: datetime = Field(sa_type=Instant)
