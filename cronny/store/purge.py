"""What is older than a tenant keeps it: found without a lock, deleted in batches that hold none for long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter

from sqlalchemy import CursorResult, and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from cronny.store.actions import DRAFT
from cronny.store.blobs import drop_blobs
from cronny.store.database import Database
from cronny.store.item_tables import AttemptRow, ItemRow
from cronny.store.live_tables import LiveRow
from cronny.store.past import LIFE
from cronny.store.tables import ActionRow, ActionVersion, EventRow, StageRow, Tenant, TriggerRow, TriggerState
from cronny.store.wait_tables import WaitRow

BATCH = 25  # triggers, or events, of one transaction: it keeps a claim on SQLite waiting for some 7 ms

ENDED = tuple(
    state for state in TriggerState if state not in (TriggerState.SCHEDULED, TriggerState.EXECUTING)
)


@dataclass(frozen=True)
class Purged:
    """What a batch has deleted, and how long it kept others from writing where there is one writer."""

    triggers: int
    events: int
    held: timedelta

    @property
    def is_last(self) -> bool:
        """Whether nothing was left behind."""
        return self.triggers < BATCH and self.events < BATCH


async def purge_batch(database: Database, tenant: Tenant, now: datetime) -> Purged:
    """Delete the oldest of what a tenant keeps no longer."""
    before = now - timedelta(days=tenant.retention_days)
    async with database.read() as session:
        triggers = await _old_triggers(session, tenant, before)
        events = await _old_events(session, tenant, before)
    if not triggers and not events:
        return Purged(0, 0, timedelta())
    async with database.write() as session:
        begin = perf_counter()
        counts = await _delete_triggers(session, triggers, now), await _delete_events(session, events)
    return Purged(*counts, timedelta(seconds=perf_counter() - begin))


async def _old_triggers(session: AsyncSession, tenant: Tenant, before: datetime) -> Sequence[str]:
    """The oldest triggers that ended, and whose last due lies before an instant."""
    due = col(TriggerRow.due)
    query = (
        select(col(TriggerRow.id))
        .where(
            col(TriggerRow.tenant_id) == tenant.id,
            due < before,
            func.coalesce(col(TriggerRow.until), due) < before,
            or_(col(TriggerRow.finished_at).is_(None), col(TriggerRow.finished_at) < before),
            col(TriggerRow.state).in_(ENDED),
        )
        .order_by(due, col(TriggerRow.id))
        .limit(BATCH)
    )
    return (await session.execute(query)).scalars().all()


async def _delete_triggers(session: AsyncSession, ids: Sequence[str], now: datetime) -> int:
    """Delete these triggers with the records of their stages, if they still have ended; how many."""
    ended = select(col(TriggerRow.id)).where(col(TriggerRow.id).in_(ids), col(TriggerRow.state).in_(ENDED))
    found = (await session.execute(ended.order_by(col(TriggerRow.id)).with_for_update())).scalars().all()
    await session.execute(delete(StageRow).where(col(StageRow.trigger_id).in_(found)))
    for table in (AttemptRow, ItemRow, WaitRow, LiveRow):
        await session.execute(delete(table).where(col(table.trigger_id).in_(found)))
    await drop_blobs(session, found, now)
    await _delete_drafts(session, found)
    await session.execute(delete(TriggerRow).where(col(TriggerRow.id).in_(found)))
    return len(found)


async def _delete_drafts(session: AsyncSession, triggers: Sequence[str]) -> None:
    """Delete the texts that were only tested by these triggers."""
    tested = select(col(TriggerRow.action_id)).where(
        col(TriggerRow.id).in_(triggers), col(TriggerRow.is_test).is_(True)
    )
    query = select(col(ActionRow.id)).where(
        col(ActionRow.id).in_(tested), col(ActionRow.name).contains(DRAFT, autoescape=True)
    )
    if drafts := (await session.execute(query)).scalars().all():
        await session.execute(delete(ActionVersion).where(col(ActionVersion.action_id).in_(drafts)))
        await session.execute(delete(ActionRow).where(col(ActionRow.id).in_(drafts)))


async def _old_events(session: AsyncSession, tenant: Tenant, before: datetime) -> Sequence[str]:
    """The oldest events before an instant, but of each schedule's life the last of every kind.

    Without those nobody could say what the schedule was when the rows that are kept came to be.
    """
    later = aliased(EventRow)
    is_followed = (
        select(col(later.id))
        .where(
            col(later.schedule_id) == col(EventRow.schedule_id),
            col(later.kind) == col(EventRow.kind),
            col(later.at) > col(EventRow.at),
            col(later.at) < before,
        )
        .exists()
    )
    is_of_life = and_(col(EventRow.kind).in_(LIFE), col(EventRow.schedule_id).is_not(None))
    query = (
        select(col(EventRow.id))
        .where(col(EventRow.tenant_id) == tenant.id, col(EventRow.at) < before, or_(~is_of_life, is_followed))
        .order_by(col(EventRow.at), col(EventRow.id))
        .limit(BATCH)
    )
    return (await session.execute(query)).scalars().all()


async def _delete_events(session: AsyncSession, ids: Sequence[str]) -> int:
    """Delete these events; how many."""
    deleted = await session.execute(delete(EventRow).where(col(EventRow.id).in_(ids)))
    return deleted.rowcount if isinstance(deleted, CursorResult) else 0
