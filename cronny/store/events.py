"""What was done to a tenant's things, by whom and why, in the transaction that did it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.names import new_id
from cronny.store.columns import storable
from cronny.store.tables import ActionRow, EventKind, EventRow, ScheduleRow

ENGINE = "cronny"  # the actor of what a schedule's own options do


@dataclass(frozen=True)
class Event:
    """An event with the names of what it is about."""

    row: EventRow
    action: str | None
    schedule: str | None


@dataclass(frozen=True)
class EventFilter:
    """Which events to list."""

    schedule: str | None = None
    action: str | None = None
    trigger: str | None = None
    kinds: tuple[EventKind, ...] = ()


class Events:
    """The events of one tenant."""

    def __init__(self, session: AsyncSession, tenant_id: str) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._count = 0  # of the events of this transaction, which may all be of one instant

    async def add(  # noqa: PLR0913  # the columns of the table, by keyword
        self,
        kind: EventKind,
        *,
        schedule_id: str | None = None,
        action_id: str | None = None,
        trigger_id: str | None = None,
        actor: str = "",
        note: str = "",
        details: Mapping[str, JsonValue] | None = None,
        now: datetime,
    ) -> None:
        """Write an event down; it is there if and only if the transaction is committed."""
        row = EventRow(
            id=_id(now, self._count), tenant_id=self._tenant_id, at=now, kind=kind, actor=actor,
            note=storable(note), action_id=action_id, schedule_id=schedule_id, trigger_id=trigger_id,
            details=dict(details or {}),
        )  # fmt: skip
        self._count += 1
        self._session.add(row)
        await self._session.flush()

    async def page(
        self, wanted: EventFilter, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Event]:
        """The latest events, those before the (at, id) of the last one seen."""
        query: Select[EventRow, str | None, str | None] = (
            select(EventRow, col(ActionRow.name).label("action"), col(ScheduleRow.name).label("schedule"))
            .outerjoin(ActionRow, col(ActionRow.id) == col(EventRow.action_id))
            .outerjoin(ScheduleRow, col(ScheduleRow.id) == col(EventRow.schedule_id))
            .where(col(EventRow.tenant_id) == self._tenant_id)
            .order_by(col(EventRow.at).desc(), col(EventRow.id).desc())
            .limit(limit)
        )
        for column, kind, name in (
            (col(EventRow.schedule_id), ScheduleRow, wanted.schedule),
            (col(EventRow.action_id), ActionRow, wanted.action),
        ):
            if name is not None:
                owned = select(col(kind.id)).where(
                    col(kind.tenant_id) == self._tenant_id, col(kind.name) == name
                )
                query = query.where(column == owned.scalar_subquery())
        if wanted.trigger is not None:
            query = query.where(col(EventRow.trigger_id) == wanted.trigger)
        if wanted.kinds:
            query = query.where(col(EventRow.kind).in_(wanted.kinds))
        if before is not None:
            query = query.where(tuple_(col(EventRow.at), col(EventRow.id)) < before)
        return [Event(row.EventRow, row.action, row.schedule) for row in await self._session.execute(query)]


def _id(now: datetime, number: int) -> str:
    """A fresh id; those of one instant sort in the order in which they were made."""
    stem = new_id("evt", now)
    return f"{stem[:16]}{number:04x}{stem[20:]}"
