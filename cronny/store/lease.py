"""The table of leases."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from cronny.store.columns import Instant


class Lease(SQLModel, table=True):
    """Who does a thing that only one process should do."""

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    holder: str
    expires_at: datetime = Field(sa_type=Instant)
