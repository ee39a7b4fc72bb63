"""A tenant's fires that were missed, as a plan that somebody approves or declines."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.approval import Asking, approve, awaiting
from cronny.store.owned import require_own
from cronny.store.tables import ScheduleRow, Tenant, TriggerRow, TriggerState
from cronny.store.terms import AWAITING_APPROVAL, CAUGHT_UP


class Catchups:
    """What of the ledger waits for an approval; schedules are locked by the caller where it changes."""

    def __init__(self, session: AsyncSession, tenant: Tenant) -> None:
        self._session = session
        self._tenant = tenant

    async def of(self, schedule: ScheduleRow) -> Sequence[TriggerRow]:
        """The rows of a schedule that wait, the earliest first."""
        require_own(self._tenant, schedule)
        query = (
            select(TriggerRow)
            .where(
                col(TriggerRow.schedule_id) == schedule.id,
                col(TriggerRow.state) == TriggerState.MISSED,
                col(TriggerRow.reason) == AWAITING_APPROVAL,
            )
            .order_by(col(TriggerRow.due))
        )
        return (await self._session.execute(query)).scalars().all()

    async def approve(self, asking: Asking, until: datetime, now: datetime) -> Sequence[TriggerRow]:
        """The fires up to `until` that are executed after all, by due; their workflows are to be started."""
        require_own(self._tenant, asking.target.schedule)
        return await approve(self._session, asking, until, now)

    async def decline(self, schedule: ScheduleRow, until: datetime) -> int:
        """Leave the fires up to `until` missed for good; how many there are."""
        require_own(self._tenant, schedule)
        rows = await awaiting(self._session, schedule.id, until)
        for row in rows:
            row.reason = CAUGHT_UP
        await self._session.flush()
        return sum(row.count for row in rows)
