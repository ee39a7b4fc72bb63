"""Fires that were moved, when their time has come."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.scheduling.allocation import LEAD
from cronny.store.allocation import REVIVABLE, merge_fires
from cronny.store.changed_fires import OPERATOR, details_of
from cronny.store.events import ENGINE, Events
from cronny.store.tables import ChangeKind, EventKind, FireChange, ScheduleRow, TriggerRow, TriggerState

BATCH = 500  # changes of one look


async def to_hand_out(session: AsyncSession, now: datetime) -> Sequence[FireChange]:
    """The moved fires that are near and have not begun, by the instant they were moved to."""
    query = (
        select(FireChange)
        .where(col(FireChange.settled_at).is_(None), col(FireChange.moved_to) <= now + LEAD)
        .order_by(col(FireChange.moved_to))
        .limit(BATCH)
    )
    return (await session.execute(query)).scalars().all()


async def find_move(session: AsyncSession, schedule: ScheduleRow, due: datetime) -> FireChange | None:
    """The pending move of a fire of a locked schedule."""
    found = await session.get(FireChange, (schedule.id, due, ChangeKind.MOVE))
    return found if found is not None and found.settled_at is None else None


async def hand_out_moved(
    session: AsyncSession, schedule: ScheduleRow, change: FireChange, fresh: TriggerRow, now: datetime
) -> TriggerRow | None:
    """The row of a moved fire, `fresh` if it has none yet, to be started; None once it has begun or ended."""
    row = await _row(session, schedule, change.due)
    if row is None or (row.state is TriggerState.SKIPPED and row.reason in REVIVABLE):
        if schedule.is_paused and change.moved_to is not None and change.moved_to > now:
            return None
        if schedule.is_paused:
            fresh.state, fresh.reason, fresh.finished_at = TriggerState.SKIPPED, "paused", now
        await merge_fires(session, schedule, [fresh], now)
        row = await _row(session, schedule, change.due)
    if row is None or row.state is not TriggerState.SCHEDULED or row.reason == OPERATOR:
        change.settled_at = now
        return None
    return row


async def set_void(session: AsyncSession, schedule: ScheduleRow, change: FireChange, now: datetime) -> None:
    """Give a move up whose fire the rule does not have any more."""
    change.settled_at = now
    await Events(session, schedule.tenant_id).add(
        EventKind.FIRE_VOID, schedule_id=schedule.id, action_id=schedule.action_id, actor=ENGINE,
        note="the rule has no such fire any more", details=details_of(change), now=now,
    )  # fmt: skip


async def _row(session: AsyncSession, schedule: ScheduleRow, due: datetime) -> TriggerRow | None:
    query = select(TriggerRow).where(
        col(TriggerRow.schedule_id) == schedule.id,
        col(TriggerRow.due) == due,
        col(TriggerRow.backfill_id) == "",
    )
    return (await session.execute(query)).scalar_one_or_none()
