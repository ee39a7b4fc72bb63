"""A tenant's schedules; every change is one transaction with the ledger rows it concerns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import NotFound
from cronny.names import new_id
from cronny.store.backfilled import leave_out
from cronny.store.changed_fires import forget_changes
from cronny.store.owned import require_own
from cronny.store.tables import ActionRow, ScheduleRow, Tenant, TriggerRow, TriggerState
from cronny.store.unallocated import write_unallocated
from dsl.schedule import read_schedule

MANUAL = 0  # the generation of a trigger asked for by hand, which no rule and no pause concerns


@dataclass(frozen=True)
class Wish:
    """What a schedule is to be."""

    name: str
    action: ActionRow
    source: JsonValue
    inputs: JsonValue
    is_paused: bool
    is_embedded: bool
    calendars: tuple[str, ...] = ()  # the names in its rule


class Schedules:
    """The schedules of one tenant."""

    def __init__(self, session: AsyncSession, tenant: Tenant) -> None:
        self._session = session
        self._tenant = tenant

    async def save(self, wish: Wish, now: datetime) -> tuple[ScheduleRow, bool]:
        """The schedule as wished, and whether that changed anything; an operator's pause stays."""
        require_own(self._tenant, wish.action)
        row = await self._find(wish.name, is_locked=True, with_deleted=True)
        if row is None:
            return await self._add(wish, now), True
        if row.deleted_at is None and _is_same(row, wish):
            return row, False
        if row.deleted_at is None:
            await write_unallocated(self._session, self._tenant, row, "superseded", now)
        if row.deleted_at is not None:
            row.anchor, row.created_at = now, now
            row.is_paused, row.paused_until, row.note = wish.is_paused, None, ""
        elif wish.is_paused != _is_written_paused(row.source):  # the text says otherwise than it did
            row.is_paused, row.paused_until, row.note = wish.is_paused, None, ""
        row.anchor = anchor_of(row, wish.source, now)
        row.action_id, row.source, row.inputs = wish.action.id, wish.source, wish.inputs
        row.is_embedded, row.deleted_at, row.calendars = wish.is_embedded, None, _names(wish)
        await self._supersede(row, "superseded", now)
        return row, True

    async def get(self, name: str, is_locked: bool = False) -> ScheduleRow:
        """The schedule of that name; raises NotFound."""
        row = await self._find(name, is_locked)
        if row is None:
            raise NotFound(f"there is no schedule '{name}'")
        return row

    async def all(self) -> Sequence[tuple[ScheduleRow, str]]:
        """Every schedule with the name of its action, by name."""
        query = (
            select(ScheduleRow, col(ActionRow.name))
            .join(ActionRow, col(ActionRow.id) == col(ScheduleRow.action_id))
            .where(col(ScheduleRow.tenant_id) == self._tenant.id, col(ScheduleRow.deleted_at).is_(None))
            .order_by(col(ScheduleRow.name))
        )
        return [(row.ScheduleRow, row.name) for row in await self._session.execute(query)]

    async def of_action(self, action_id: str, is_embedded: bool = True) -> Sequence[ScheduleRow]:
        """An action's schedules by name: those written in its own text, or those that stand alone."""
        query = select(ScheduleRow).where(
            col(ScheduleRow.tenant_id) == self._tenant.id,
            col(ScheduleRow.action_id) == action_id,
            col(ScheduleRow.is_embedded).is_(is_embedded),
            col(ScheduleRow.deleted_at).is_(None),
        )
        query = query.order_by(col(ScheduleRow.name))
        return (await self._session.execute(query)).scalars().all()

    async def using(self, calendar: str) -> Sequence[ScheduleRow]:
        """The schedules whose rule names a calendar, by name."""
        query = (
            select(ScheduleRow)
            .where(
                col(ScheduleRow.tenant_id) == self._tenant.id,
                col(ScheduleRow.deleted_at).is_(None),
                col(ScheduleRow.calendars).is_not(None),
            )
            .order_by(col(ScheduleRow.name))
        )
        rows = (await self._session.execute(query)).scalars()
        return [row for row in rows if isinstance(row.calendars, list) and calendar in row.calendars]

    async def renew(self, name: str, now: datetime) -> ScheduleRow:
        """Follow a calendar that has changed, as if the rule itself had been edited."""
        row = await self.get(name, is_locked=True)
        await write_unallocated(self._session, self._tenant, row, "superseded", now)
        await self._supersede(row, "superseded", now)
        return row

    async def of_named_action(self, action: str) -> Sequence[ScheduleRow]:
        """The schedules of an action that stand alone; none if there is no such action."""
        query = select(col(ActionRow.id)).where(
            col(ActionRow.tenant_id) == self._tenant.id, col(ActionRow.name) == action
        )
        found = (await self._session.execute(query)).scalar_one_or_none()
        return [] if found is None else await self.of_action(found, is_embedded=False)

    async def pause(self, name: str, note: str, now: datetime, until: datetime | None = None) -> ScheduleRow:
        """Stop firing from now on, or until an instant: what is not claimed becomes `skipped: paused`."""
        row = await self.get(name, is_locked=True)
        row.paused_until = until
        if row.is_paused:
            row.note = note or row.note
            return row
        cursor = min(row.cursor, now)  # what an outage has left unallocated is written down at the resume
        row.is_paused, row.note = True, note
        await self._supersede(row, "paused", now)
        row.cursor = cursor
        return row

    async def resume(self, name: str, now: datetime, with_catchup: bool = False) -> ScheduleRow:
        """Fire again; what fell into the pause is skipped, or caught up like what fell into an outage."""
        row = await self.get(name, is_locked=True)
        if not row.is_paused:
            return row
        if not with_catchup:
            row.cursor, row.skip_until = max(row.cursor, await self._latest_due(row, now)), now
        row.is_paused, row.paused_until, row.note, row.wake_at = False, None, "", None
        row.generation += 1
        row.updated_at = now
        return row

    async def delete(self, name: str, now: datetime) -> ScheduleRow:
        """Take the schedule away; its ledger stays."""
        row = await self.get(name, is_locked=True)
        await write_unallocated(self._session, self._tenant, row, "deleted", now)
        row.deleted_at = now
        await self._supersede(row, "deleted", now)
        await forget_changes(self._session, row)
        await leave_out(self._session, row.id, now)
        return row

    async def _add(self, wish: Wish, now: datetime) -> ScheduleRow:
        row = ScheduleRow(
            id=new_id("sch", now), tenant_id=self._tenant.id, name=wish.name, action_id=wish.action.id,
            source=wish.source, inputs=wish.inputs, is_paused=wish.is_paused, is_embedded=wish.is_embedded,
            calendars=_names(wish),
            anchor=now, cursor=now, created_at=now, updated_at=now,
        )  # fmt: skip
        self._session.add(row)
        await self._session.flush()
        return row

    async def _supersede(self, row: ScheduleRow, reason: str, now: datetime) -> None:
        """Settle the unclaimed fires of the present rule and start a new generation from now on."""
        unclaimed = (
            select(col(TriggerRow.id))
            .where(
                col(TriggerRow.schedule_id) == row.id,
                col(TriggerRow.state) == TriggerState.SCHEDULED,
                col(TriggerRow.generation) > MANUAL,
            )
            .order_by(col(TriggerRow.id))  # the order in which claims lock
            .with_for_update(key_share=True)
        )
        await self._session.execute(
            update(TriggerRow)
            .where(col(TriggerRow.id).in_(unclaimed), col(TriggerRow.state) == TriggerState.SCHEDULED)
            .values(state=TriggerState.SKIPPED, reason=reason, finished_at=now)
            .execution_options(synchronize_session=False)
        )
        row.generation += 1
        row.cursor, row.next_due, row.wake_at, row.skip_until = now, None, None, None
        row.updated_at = now
        await self._session.flush()

    async def _latest_due(self, row: ScheduleRow, now: datetime) -> datetime:
        query = select(func.max(col(TriggerRow.due))).where(
            col(TriggerRow.schedule_id) == row.id,
            col(TriggerRow.due) <= now,
            col(TriggerRow.generation) > MANUAL,
        )
        return (await self._session.execute(query)).scalar_one() or row.cursor

    async def _find(
        self, name: str, is_locked: bool = False, with_deleted: bool = False
    ) -> ScheduleRow | None:
        query = select(ScheduleRow).where(
            col(ScheduleRow.tenant_id) == self._tenant.id, col(ScheduleRow.name) == name
        )
        if not with_deleted:
            query = query.where(col(ScheduleRow.deleted_at).is_(None))
        if is_locked:
            query = query.with_for_update(key_share=True)
        return (await self._session.execute(query)).scalar_one_or_none()


def anchor_of(row: ScheduleRow | None, source: JsonValue, now: datetime) -> datetime:
    """The instant from which a rule counts that takes a schedule's place now."""
    return row.anchor if row is not None and _has_the_beat(row.source, source) else now


def _names(wish: Wish) -> JsonValue:
    return list(wish.calendars) or None


def _has_the_beat(source: JsonValue, other: JsonValue) -> bool:
    """Whether two rules count their fires alike: what else they say does not move an interval."""
    first, second = (read_schedule(each)[0] for each in (source, other))
    if first is None or second is None:  # Written by a version that knew more.
        return source == other
    return first.beat == second.beat


def _is_written_paused(source: JsonValue) -> bool:
    return isinstance(source, dict) and source.get("paused") is True


def _is_same(row: ScheduleRow, wish: Wish) -> bool:
    return (row.action_id, row.source, row.inputs, row.is_embedded) == (
        wish.action.id,
        wish.source,
        wish.inputs,
        wish.is_embedded,
    )
