"""What the watchdog looks for: rows that Temporal should have moved on and has not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Label, and_, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.tables import ActionRow, Lease, ScheduleRow, Tenant, TriggerRow, TriggerState

UNSEEN = timedelta(seconds=3)  # after this a changed schedule's workflow should have read it
OVERSLEPT = timedelta(seconds=10)  # after its wake a schedule should have been allocated
UNCLAIMED = timedelta(seconds=15)  # after its due a trigger should have been claimed
BATCH = 500  # repairs of one round

_ACTION: Label[str] = col(ActionRow.name).label("action")
_SCHEDULE: Label[str] = col(ScheduleRow.name).label("schedule")


@dataclass(frozen=True)
class StuckSchedule:
    """A schedule whose workflow does not do its work."""

    id: str
    name: str
    tenant: str
    action: str


@dataclass(frozen=True)
class StuckTrigger:
    """A trigger that nobody claims."""

    row: TriggerRow
    tenant: str
    action: str
    schedule: str | None


async def take_lease(session: AsyncSession, name: str, holder: str, now: datetime, span: timedelta) -> bool:
    """Whether `holder` has the lease for `span` from now on."""
    is_free = or_(col(Lease.holder) == holder, col(Lease.expires_at) < now)
    taken = await session.execute(
        update(Lease)
        .where(col(Lease.name) == name, is_free)
        .values(holder=holder, expires_at=now + span)
        .returning(col(Lease.name))
    )
    if taken.one_or_none() is not None:
        return True
    try:
        async with session.begin_nested():
            await session.execute(insert(Lease).values(name=name, holder=holder, expires_at=now + span))
    except IntegrityError:
        return False
    return True


async def stuck_schedules(session: AsyncSession, now: datetime) -> Sequence[StuckSchedule]:
    """Schedules whose change was not read, or whose next fire should have been allocated."""
    is_unseen = and_(
        col(ScheduleRow.observed_generation) < col(ScheduleRow.generation),
        col(ScheduleRow.updated_at) < now - UNSEEN,
    )
    is_asleep = and_(
        col(ScheduleRow.wake_at) < now - OVERSLEPT,
        col(ScheduleRow.is_paused).is_(False),
        col(ScheduleRow.deleted_at).is_(None),
    )
    query = (
        select(col(ScheduleRow.id), col(ScheduleRow.name), col(Tenant.slug), _ACTION)
        .join(Tenant, col(Tenant.id) == col(ScheduleRow.tenant_id))
        .join(ActionRow, col(ActionRow.id) == col(ScheduleRow.action_id))
        .where(or_(is_unseen, is_asleep))
        .limit(BATCH)
    )
    return [StuckSchedule(row.id, row.name, row.slug, row.action) for row in await session.execute(query)]


async def stuck_triggers(session: AsyncSession, now: datetime) -> Sequence[StuckTrigger]:
    """Triggers that are past their due and unclaimed, the oldest first."""
    query = (
        select(TriggerRow, col(Tenant.slug), _ACTION, _SCHEDULE)
        .join(Tenant, col(Tenant.id) == col(TriggerRow.tenant_id))
        .join(ActionRow, col(ActionRow.id) == col(TriggerRow.action_id))
        .outerjoin(ScheduleRow, col(ScheduleRow.id) == col(TriggerRow.schedule_id))
        .where(col(TriggerRow.state) == TriggerState.SCHEDULED, col(TriggerRow.due) < now - UNCLAIMED)
        .order_by(col(TriggerRow.due))
        .limit(BATCH)
    )  # fmt: skip
    return [
        StuckTrigger(row.TriggerRow, row.slug, row.action, row.schedule)
        for row in await session.execute(query)
    ]
