"""A tenant's backfills: ranges of the past that are executed at a bounded rate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import JsonValue
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import Conflict, NotFound
from cronny.names import backfill_workflow, instant_text, new_id, trigger_workflow
from cronny.store.backfilled import BACKFILL, leave_out
from cronny.store.owned import require_own
from cronny.store.tables import ActionRow, BackfillRow, ScheduleRow, Tenant, TriggerRow, TriggerState
from dsl.options import Overlap

WAITING = (TriggerState.SCHEDULED, TriggerState.EXECUTING)
MINUTE = timedelta(minutes=1)


class BackfillState(StrEnum):
    """How far a backfill has come."""

    RUNNING = "running"  #: Fires of it wait or execute.
    COMPLETED = "completed"  #: Each of its fires has ended, well or not.
    CANCELLED = "cancelled"  #: What had not begun when somebody asked for it was left out.


@dataclass(frozen=True)
class Order:
    """What is to be executed again, and how."""

    since: datetime
    until: datetime
    rate: int  #: Triggers a minute.
    overlap: Overlap
    inputs: JsonValue
    actor: str
    note: str


@dataclass(frozen=True)
class Backfill:
    """A backfill and how many of its fires are in each state."""

    row: BackfillRow
    counts: Mapping[TriggerState, int]

    @property
    def state(self) -> BackfillState:
        """How far it has come."""
        if self.row.cancelled_at is not None:
            return BackfillState.CANCELLED
        is_open = any(self.counts.get(state) for state in WAITING)
        return BackfillState.RUNNING if is_open else BackfillState.COMPLETED


def details_of(row: BackfillRow) -> dict[str, JsonValue]:
    """What an event says of a backfill."""
    return {
        "backfill": row.id,
        "total": row.total,
        "from": instant_text(row.since),
        "to": instant_text(row.until),
    }


class Backfills:
    """The backfills of one tenant."""

    def __init__(self, session: AsyncSession, tenant: Tenant) -> None:
        self._session = session
        self._tenant = tenant

    async def add(
        self, schedule: ScheduleRow, action: ActionRow, dues: Sequence[datetime], order: Order, now: datetime
    ) -> BackfillRow:
        """A backfill with a ledger row for each due, planned one after another at the rate."""
        require_own(self._tenant, schedule, action)
        row = BackfillRow(
            id=new_id("bkf", now), tenant_id=self._tenant.id, schedule_id=schedule.id, since=order.since,
            until=order.until, total=len(dues), rate=order.rate, overlap=order.overlap, inputs=order.inputs,
            actor=order.actor, note=order.note, created_at=now,
        )  # fmt: skip
        self._session.add(row)
        pace = MINUTE / order.rate
        self._session.add_all([
            self._fire(row, schedule, action, due, now + place * pace) for place, due in enumerate(dues)
        ])  # fmt: skip
        await self._session.flush()
        return row

    async def of(self, schedule: ScheduleRow) -> Sequence[Backfill]:
        """The backfills of a schedule, the latest first."""
        require_own(self._tenant, schedule)
        query = select(BackfillRow).where(col(BackfillRow.schedule_id) == schedule.id)
        query = query.order_by(col(BackfillRow.created_at).desc(), col(BackfillRow.id).desc())
        return [await self._counted(row) for row in (await self._session.execute(query)).scalars().all()]

    async def get(self, schedule: ScheduleRow, backfill_id: str) -> Backfill:
        """One backfill; raises NotFound."""
        require_own(self._tenant, schedule)
        row = await self._session.get(BackfillRow, backfill_id)
        if row is None or row.schedule_id != schedule.id:
            raise NotFound(f"there is no backfill '{backfill_id}' of this schedule")
        return await self._counted(row)

    async def cancel(self, schedule: ScheduleRow, backfill_id: str, now: datetime) -> Backfill:
        """Leave out what has not begun; raises NotFound, and Conflict if nothing is left."""
        found = await self.get(schedule, backfill_id)
        if not found.counts.get(TriggerState.SCHEDULED):
            raise Conflict("nothing of the backfill is left to cancel; what executes goes on")
        await leave_out(self._session, schedule.id, now, backfill_id)
        await self._session.refresh(found.row)
        return await self._counted(found.row)

    async def _counted(self, row: BackfillRow) -> Backfill:
        query = (
            select(col(TriggerRow.state), func.count())
            .where(
                col(TriggerRow.schedule_id) == row.schedule_id,
                col(TriggerRow.due) >= row.since,
                col(TriggerRow.due) <= row.until,
                col(TriggerRow.backfill_id) == row.id,
            )
            .group_by(col(TriggerRow.state))
        )
        return Backfill(row, {found[0]: found[1] for found in await self._session.execute(query)})

    def _fire(
        self, row: BackfillRow, schedule: ScheduleRow, action: ActionRow, due: datetime, planned: datetime
    ) -> TriggerRow:
        workflow_id = trigger_workflow(self._tenant.slug, schedule.name, due)
        return TriggerRow(
            id=new_id("trg", row.created_at), tenant_id=self._tenant.id, action_id=action.id,
            action_version=action.version, schedule_id=schedule.id, backfill_id=row.id, due=due,
            planned=planned, reason=BACKFILL, overlap=row.overlap, is_guarded=row.overlap != "allow",
            workflow_id=backfill_workflow(workflow_id, row.id), inputs=row.inputs,
            allocated_at=row.created_at, priority=action.priority,
        )  # fmt: skip
