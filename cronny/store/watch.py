"""What the watchdog looks for: rows that Temporal should have moved on and has not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue
from sqlalchemy import Label, Over, Select, and_, func, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from cronny.store.backfilled import BACKFILL
from cronny.store.columns import storable
from cronny.store.ends import hold_of
from cronny.store.events import Events
from cronny.store.lease import Lease
from cronny.store.records import fail_open
from cronny.store.tables import (
    ActionRow,
    EventKind,
    ScheduleRow,
    Tenant,
    TriggerRow,
    TriggerState,
)

UNSEEN = timedelta(seconds=10)  # after this a changed schedule's workflow should have read it
OVERSLEPT = timedelta(seconds=10)  # after its wake a schedule should have been allocated
UNCLAIMED = timedelta(seconds=15)  # after its due a trigger should have been claimed
SILENT = timedelta(seconds=20)  # after its claim a trigger's workflow is looked for
BATCH = 500  # repairs of one round
LOOKS = 100  # executing triggers of one round: each costs a question to Temporal, and most are well

WATCHDOG = "watchdog"  # the actor of its events

_LOST: dict[str, JsonValue] = {"code": "internal", "message": "its workflow is gone; nobody executes it"}
_ACTION: Label[str] = col(ActionRow.name).label("action")
_SCHEDULE: Label[str] = col(ScheduleRow.name).label("schedule")


@dataclass(frozen=True)
class StuckSchedule:
    """A schedule whose workflow does not do its work."""

    row: ScheduleRow
    tenant: str
    action: str


@dataclass(frozen=True)
class StuckTrigger:
    """A trigger that may have nobody to move it on."""

    row: TriggerRow
    tenant: str
    action: str
    schedule: str | None


async def take_lease(session: AsyncSession, name: str, holder: str, now: datetime, span: timedelta) -> bool:
    """Whether `holder` has the lease for `span` from now on."""
    is_free = or_(
        col(Lease.holder) == holder,
        col(Lease.expires_at) < now,
        # The clock was set back: nobody would look after anything for as long as that.
        col(Lease.expires_at) > now + 2 * span,
    )
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
    is_overdue = and_(col(ScheduleRow.paused_until) < now - OVERSLEPT, col(ScheduleRow.deleted_at).is_(None))
    query = (
        select(ScheduleRow, col(Tenant.slug), _ACTION)
        .join(Tenant, col(Tenant.id) == col(ScheduleRow.tenant_id))
        .join(ActionRow, col(ActionRow.id) == col(ScheduleRow.action_id))
        .where(or_(is_unseen, is_asleep, is_overdue))
        .order_by(_turn(col(ScheduleRow.tenant_id), col(ScheduleRow.updated_at)), col(ScheduleRow.id))
        .limit(BATCH)
    )
    return [StuckSchedule(row.ScheduleRow, row.slug, row.action) for row in await session.execute(query)]


async def stuck_triggers(session: AsyncSession, now: datetime, skip: int = 0) -> Sequence[StuckTrigger]:
    """Triggers past their due and unclaimed, the oldest of each tenant first, but for the first `skip`.

    Those that merely wait for a worker stay, so a round goes on where the one before it ended.
    """
    query = _triggers().where(
        col(TriggerRow.state) == TriggerState.SCHEDULED,
        col(TriggerRow.due) < now - UNCLAIMED,  # for the index; a start is never planned before its due
        col(TriggerRow.planned) < now - UNCLAIMED,
        or_(  # what of a backfill was not started yet waits for its rate
            col(TriggerRow.backfill_id) == "", col(TriggerRow.reason) != BACKFILL
        ),
    )
    query = query.order_by(
        _turn(col(TriggerRow.tenant_id), col(TriggerRow.due)), col(TriggerRow.due), col(TriggerRow.id)
    )
    return await _found(session, query.offset(skip))


async def executing_triggers(
    session: AsyncSession, now: datetime, after: tuple[datetime, str] | None = None
) -> Sequence[StuckTrigger]:
    """Triggers claimed a while ago whose workflow should still exist, by due; those after a (due, id).

    Most of them merely take long, so a round goes on where the one before it ended.
    """
    query = _triggers().where(
        col(TriggerRow.state) == TriggerState.EXECUTING, col(TriggerRow.started_at) < now - SILENT
    )
    place = tuple_(col(TriggerRow.due), col(TriggerRow.id))
    if after is not None:
        query = query.where(place > after)
    return await _found(session, query.order_by(col(TriggerRow.due), col(TriggerRow.id)), LOOKS)


async def settle_lost(session: AsyncSession, trigger: StuckTrigger, now: datetime) -> bool:
    """Settle a trigger whose workflow is gone as failed, and its stages; False if its run was quicker."""
    await hold_of(session, [trigger.row])  # before the trigger, as claims and ends do
    settled = await session.execute(
        update(TriggerRow)
        .where(
            col(TriggerRow.id) == trigger.row.id,
            col(TriggerRow.run_id) == trigger.row.run_id,
            col(TriggerRow.state) == TriggerState.EXECUTING,
        )
        .values(state=TriggerState.FAILED, reason="workflow_lost", error=_LOST, finished_at=now)
        .returning(col(TriggerRow.id))
        .execution_options(synchronize_session=False)
    )
    if settled.one_or_none() is None:
        return False
    await fail_open(session, [trigger.row.id], _LOST, now)
    return True


async def give_up(session: AsyncSession, trigger: StuckTrigger, why: str, now: datetime) -> bool:
    """Settle a trigger that its workflow cannot start as failed; False if it has been claimed or settled."""
    await hold_of(session, [trigger.row])
    settled = await session.execute(
        update(TriggerRow)
        .where(
            col(TriggerRow.id) == trigger.row.id,
            col(TriggerRow.generation) == trigger.row.generation,
            col(TriggerRow.state) == TriggerState.SCHEDULED,
        )
        .values(
            state=TriggerState.FAILED,
            reason="workflow_failed",
            error={"code": "internal", "message": storable(why)},
            finished_at=now,
        )
        .returning(col(TriggerRow.id))
        .execution_options(synchronize_session=False)
    )
    return settled.one_or_none() is not None


async def note_repair(
    session: AsyncSession, kind: EventKind, row: ScheduleRow | TriggerRow, now: datetime, why: str = ""
) -> None:
    """Write down what the watchdog did about a row."""
    schedule, trigger = (row.schedule_id, row.id) if isinstance(row, TriggerRow) else (row.id, None)
    await Events(session, row.tenant_id).add(
        kind, schedule_id=schedule, action_id=row.action_id, trigger_id=trigger, actor=WATCHDOG, note=why,
        now=now,
    )  # fmt: skip


def _triggers() -> Select[TriggerRow, str, str, str]:
    return (
        select(TriggerRow, col(Tenant.slug), _ACTION, _SCHEDULE)
        .join(Tenant, col(Tenant.id) == col(TriggerRow.tenant_id))
        .join(ActionRow, col(ActionRow.id) == col(TriggerRow.action_id))
        .outerjoin(ScheduleRow, col(ScheduleRow.id) == col(TriggerRow.schedule_id))
    )


async def _found(
    session: AsyncSession, query: Select[TriggerRow, str, str, str], most: int = BATCH
) -> Sequence[StuckTrigger]:
    return [
        StuckTrigger(row.TriggerRow, row.slug, row.action, row.schedule)
        for row in await session.execute(query.limit(most))
    ]


def _turn(tenant: Mapped[str], age: Mapped[datetime]) -> Over[int]:
    """A row's place among those of its tenant: a tenant that nobody serves must not fill every batch."""
    return func.row_number().over(partition_by=tenant, order_by=age)
