"""A tenant's ledger as people read it, and triggers asked for by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import Row, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col

from cronny.errors import NotFound
from cronny.names import manual_workflow, new_id
from cronny.store.actions import find_version
from cronny.store.filtering import Filter, conditions
from cronny.store.owned import require_own
from cronny.store.tables import (
    ActionRow,
    ActionVersion,
    ScheduleRow,
    StageRow,
    Tenant,
    TriggerRow,
)

VALUES = ("inputs", "outputs", "error")  # large, and looked at one row at a time


@dataclass(frozen=True)
class Entry:
    """A ledger row with the names of what it belongs to."""

    trigger: TriggerRow
    action: str
    schedule: str | None


class Triggers:
    """The ledger of one tenant."""

    def __init__(self, session: AsyncSession, tenant: Tenant) -> None:
        self._session = session
        self._tenant = tenant

    async def page(self, wanted: Filter, before: tuple[datetime, str] | None, limit: int) -> Sequence[Entry]:
        """The latest rows by due, those before the (due, id) of the last one seen; without their values."""
        query = _entries().where(*conditions(wanted, self._tenant))
        key = tuple_(col(TriggerRow.due), col(TriggerRow.id))
        if before is not None:
            query = query.where(key < before)
        query = query.options(*[defer(getattr(TriggerRow, name)) for name in VALUES])
        query = query.order_by(col(TriggerRow.due).desc(), col(TriggerRow.id).desc()).limit(limit)
        return [_entry(row) for row in await self._session.execute(query)]

    async def get(self, trigger_id: str) -> Entry:
        """One row; raises NotFound."""
        row = (
            await self._session.execute(
                _entries().where(
                    col(TriggerRow.tenant_id) == self._tenant.id, col(TriggerRow.id) == trigger_id
                )
            )
        ).one_or_none()
        if row is None:
            raise NotFound(f"there is no trigger '{trigger_id}'")
        return _entry(row)

    async def stages(self, entry: Entry) -> Sequence[StageRow]:
        """The records of a trigger's stages in the order they started."""
        require_own(self._tenant, entry.trigger)
        query = select(StageRow).where(col(StageRow.trigger_id) == entry.trigger.id)
        query = query.order_by(col(StageRow.started_at), col(StageRow.stage_id))
        return (await self._session.execute(query)).scalars().all()

    async def version(self, entry: Entry) -> ActionVersion:
        """The version of its action that a trigger executes."""
        require_own(self._tenant, entry.trigger)
        return await find_version(self._session, entry.trigger.action_id, entry.trigger.action_version)

    async def add_manual(
        self, action: ActionRow, schedule: ScheduleRow | None, inputs: JsonValue, now: datetime
    ) -> Entry:
        """A trigger that is due now because somebody asked for it."""
        require_own(self._tenant, action, schedule)
        trigger_id = new_id("trg", now)
        row = TriggerRow(
            id=trigger_id, tenant_id=self._tenant.id, action_id=action.id, action_version=action.version,
            priority=action.priority, schedule_id=schedule.id if schedule else None, due=now, inputs=inputs,
            allocated_at=now, reason="manual",
            workflow_id=manual_workflow(self._tenant.slug, action.name, trigger_id),
            is_guarded=schedule is not None,  # others of its schedule may wait for its end
        )  # fmt: skip
        self._session.add(row)
        await self._session.flush()
        return Entry(row, action.name, schedule.name if schedule else None)


def _entries() -> Select[TriggerRow, str, str]:
    return (
        select(TriggerRow, col(ActionRow.name).label("action"), col(ScheduleRow.name).label("schedule"))
        .join(ActionRow, col(ActionRow.id) == col(TriggerRow.action_id))
        .outerjoin(ScheduleRow, col(ScheduleRow.id) == col(TriggerRow.schedule_id))
    )


def _entry(row: Row[TriggerRow, str, str]) -> Entry:
    return Entry(row.TriggerRow, row.action, row.schedule)
