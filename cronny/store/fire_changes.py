"""Changes of single fires, allocated or not: each is one transaction with the ledger row it concerns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import Conflict, NotFound
from cronny.names import again, instant_text, moved_workflow
from cronny.store.allocation import REVIVABLE
from cronny.store.changed_fires import OPERATOR, apply, plan
from cronny.store.owned import require_own
from cronny.store.tables import ChangeKind, FireChange, ScheduleRow, Tenant, TriggerRow, TriggerState


@dataclass(frozen=True)
class Asked:
    """What is asked of a single fire, by whom and why."""

    kind: ChangeKind
    actor: str
    note: str = ""
    moved_to: datetime | None = None
    inputs: JsonValue = None


class FireChanges:
    """The changes of single fires of one tenant; schedules are locked by the caller."""

    def __init__(self, session: AsyncSession, tenant: Tenant) -> None:
        self._session = session
        self._tenant = tenant

    async def of(self, schedule: ScheduleRow, since: datetime | None = None) -> Sequence[FireChange]:
        """The changes of a schedule by due; with `since` those whose time is not over by then."""
        require_own(self._tenant, schedule)
        query = select(FireChange).where(col(FireChange.schedule_id) == schedule.id)
        query = query.order_by(col(FireChange.due), col(FireChange.kind))
        found = (await self._session.execute(query)).scalars().all() if schedule.has_changes else ()
        return [one for one in found if since is None or max(one.due, one.moved_to or one.due) > since]

    async def ask(self, schedule: ScheduleRow, due: datetime, asked: Asked, now: datetime) -> FireChange:
        """Change a fire; raises Conflict if it has begun, if its time is over, or if it is skipped."""
        row = await self._row(schedule, due)
        known = {one.kind: one for one in await self.of(schedule) if one.due == due}
        _require_open(row, due, now)
        if ChangeKind.SKIP in known and asked.kind is not ChangeKind.SKIP:
            raise Conflict(f"the fire of {instant_text(due)} is skipped; undo that first")
        change = known.get(asked.kind) or FireChange(
            schedule_id=schedule.id, due=due, kind=asked.kind, tenant_id=self._tenant.id, actor="", at=now
        )
        change.actor, change.note, change.at = asked.actor, asked.note, now
        change.moved_to, change.inputs, change.settled_at = asked.moved_to, asked.inputs, None
        self._session.add(change)
        schedule.has_changes = True
        if row is not None and row.state is TriggerState.SCHEDULED:
            apply(change, row, now)
            if change.moved_to is not None:  # A workflow may hold it for another instant.
                row.workflow_id = moved_workflow(row.workflow_id, change.moved_to)
        await self._session.flush()
        return change

    async def undo(
        self, schedule: ScheduleRow, due: datetime, inputs: JsonValue, now: datetime
    ) -> TriggerRow | None:
        """Let a fire be as its rule says, with these inputs; its row if its workflow is to be started.

        Raises NotFound if it was not changed, and Conflict if its time is over.
        """
        known = [one for one in await self.of(schedule) if one.due == due]
        if not known:
            raise NotFound(f"the fire of {instant_text(due)} was not changed")
        if due <= now:
            raise Conflict(f"{instant_text(due)} is over; a backfill executes what was left out")
        row = await self._row(schedule, due)
        _require_open(row, due, now)
        for one in known:
            await self._session.delete(one)
        await self._session.flush()
        schedule.has_changes = bool(await self.of(schedule))
        return _restored(row, schedule, inputs) if row is not None else None

    async def _row(self, schedule: ScheduleRow, due: datetime) -> TriggerRow | None:
        require_own(self._tenant, schedule)
        query = select(TriggerRow).where(
            col(TriggerRow.schedule_id) == schedule.id,
            col(TriggerRow.due) == due,
            col(TriggerRow.backfill_id) == "",
        )
        return (await self._session.execute(query.with_for_update(key_share=True))).scalar_one_or_none()


def _require_open(row: TriggerRow | None, due: datetime, now: datetime) -> None:
    if row is None:
        if due <= now:
            raise Conflict(f"{instant_text(due)} is over")
        return
    is_taken_back = row.state is TriggerState.SKIPPED and row.reason in (OPERATOR, *REVIVABLE)
    if row.state is not TriggerState.SCHEDULED and not is_taken_back:
        raise Conflict(f"the fire of {instant_text(due)} is {row.state} already")


def _restored(row: TriggerRow, schedule: ScheduleRow, inputs: JsonValue) -> TriggerRow | None:
    if row.state is TriggerState.SKIPPED and row.reason != OPERATOR:
        return None  # An edit or a pause has taken it back; it is allocated again when that is over.
    plan(row, row.due)
    row.state, row.reason, row.finished_at, row.inputs = TriggerState.SCHEDULED, "", None, inputs
    row.workflow_id = row.workflow_id.partition("~")[0]
    if row.generation != schedule.generation:
        row.generation, row.workflow_id = schedule.generation, again(row.workflow_id, schedule.generation)
    return row
