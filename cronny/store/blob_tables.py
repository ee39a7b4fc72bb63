"""The table of the values that are too large for the database."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from cronny.store.columns import Instant

IS_GARBAGE = text("dropped_at is not null")


class BlobRow(SQLModel, table=True):
    """A trigger that keeps a large value; the re-runs of one share what they have taken over."""

    __tablename__ = "blob"
    __table_args__ = (
        Index("ix_blob_id", "id"),
        Index("ix_blob_tenant", "tenant_id"),
        Index("ix_blob_garbage", "dropped_at", sqlite_where=IS_GARBAGE, postgresql_where=IS_GARBAGE),
    )
    trigger_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    tenant_id: str
    size: int
    created_at: datetime = Field(sa_type=Instant)
    dropped_at: datetime | None = Field(default=None, sa_type=Instant)  # nobody keeps it; yet to be deleted
