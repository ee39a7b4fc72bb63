"""The ledger rows of backfills that were not started yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.scheduling.allocation import LEAD
from cronny.store.tables import ActionRow, BackfillRow, ScheduleRow, Tenant, TriggerRow, TriggerState

BACKFILL = "backfill"  # the reason of a row that was not started yet
CANCELLED = "backfill_cancelled"  # of one that will not be
BATCH = 500  # rows of one look

# In the words of its index: neither database recognises them when the values are parameters.
_WAITING = "backfill_id <> '' and \"trigger\".state = 'scheduled'"


@dataclass(frozen=True)
class Backfilled:
    """A row that is to be started, and how many of its backfill may be in a minute."""

    row: TriggerRow
    rate: int
    tenant: str
    action: str
    schedule: str


async def to_start(session: AsyncSession, now: datetime) -> Sequence[Backfilled]:
    """The rows of backfills whose turn has come, the one planned first before the others."""
    query: Select[TriggerRow, int, str, str, str] = (
        select(
            TriggerRow,
            col(BackfillRow.rate),
            col(Tenant.slug).label("tenant"),
            col(ActionRow.name).label("action"),
            col(ScheduleRow.name).label("schedule"),
        )
        .join(BackfillRow, col(BackfillRow.id) == col(TriggerRow.backfill_id))
        .join(Tenant, col(Tenant.id) == col(TriggerRow.tenant_id))
        .join(ActionRow, col(ActionRow.id) == col(TriggerRow.action_id))
        .join(ScheduleRow, col(ScheduleRow.id) == col(TriggerRow.schedule_id))
        .where(text(_WAITING), col(TriggerRow.reason) == BACKFILL, col(TriggerRow.planned) <= now + LEAD)
        .order_by(col(TriggerRow.planned), col(TriggerRow.id))
        .limit(BATCH)
    )
    return [
        Backfilled(found.TriggerRow, found.rate, found.tenant, found.action, found.schedule)
        for found in await session.execute(query)
    ]


async def leave_out(
    session: AsyncSession, schedule_id: str, now: datetime, backfill_id: str | None = None
) -> None:
    """Leave out what has not begun of one backfill of a schedule, or of all of them."""
    unclaimed = select(col(TriggerRow.id)).where(text(_WAITING), col(TriggerRow.schedule_id) == schedule_id)
    backfills = update(BackfillRow).where(col(BackfillRow.schedule_id) == schedule_id)
    if backfill_id is not None:
        unclaimed = unclaimed.where(col(TriggerRow.backfill_id) == backfill_id)
        backfills = backfills.where(col(BackfillRow.id) == backfill_id)
    # In the order in which claims lock.
    unclaimed = unclaimed.order_by(col(TriggerRow.id)).with_for_update(key_share=True)
    left_out = await session.execute(
        update(TriggerRow)
        .where(col(TriggerRow.id).in_(unclaimed), col(TriggerRow.state) == TriggerState.SCHEDULED)
        .values(state=TriggerState.SKIPPED, reason=CANCELLED, finished_at=now)
        .returning(col(TriggerRow.backfill_id))
        .execution_options(synchronize_session=False)
    )
    cut_short = sorted(set(left_out.scalars()))
    if cut_short:
        await session.execute(
            backfills.where(col(BackfillRow.id).in_(cut_short))
            .values(cancelled_at=now)
            .execution_options(synchronize_session="fetch")
        )
