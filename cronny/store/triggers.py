"""A tenant's ledger as people read it, and triggers asked for by hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import Row, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col

from cronny.errors import NotFound
from cronny.names import asked_workflow, new_id
from cronny.store.actions import find_version, plain_name
from cronny.store.attempts import attempts_of
from cronny.store.cancelling import Cancelling, cancel_trigger
from cronny.store.filtering import Filter, conditions
from cronny.store.following import Sighting, log_of_item, sightings
from cronny.store.item_tables import AttemptRow, ItemRow, ItemState
from cronny.store.items import Counts, item_counts, page_of_items
from cronny.store.live import Unit
from cronny.store.owned import require_own
from cronny.store.reruns import Kept, reruns_of, take_over
from cronny.store.tables import (
    ActionRow,
    ActionVersion,
    ScheduleRow,
    StageRow,
    Tenant,
    TriggerRow,
)

VALUES = ("inputs", "outputs", "error", "test")  # large, and looked at one row at a time


@dataclass(frozen=True)
class Origin:
    """Why there is a trigger that no rule gave."""

    reason: str = "manual"
    parent_id: str = ""  #: The trigger whose stage asked for it.
    depth: int = 0
    webhook: str = ""
    test: JsonValue = None  #: Of a test: what stands in for its stages.
    rerun_of: TriggerRow | None = None  #: Of a re-run: the trigger of which it repeats a part.


BY_HAND = Origin()


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

    async def record(self, entry: Entry, stage_id: str, item: int | None) -> StageRow | ItemRow:
        """The record of a stage, or of one of its items; raises NotFound."""
        require_own(self._tenant, entry.trigger)
        key = (entry.trigger.id, stage_id)
        found = (
            await self._session.get(StageRow, key)
            if item is None
            else await self._session.get(ItemRow, (*key, item))
        )
        if found is None:
            which = f"stage '{stage_id}'" if item is None else f"item {item} of stage '{stage_id}'"
            raise NotFound(f"this trigger has no {which}, or has not come to it")
        return found

    async def version(self, entry: Entry) -> ActionVersion:
        """The version of its action that a trigger executes."""
        require_own(self._tenant, entry.trigger)
        return await find_version(self._session, entry.trigger.action_id, entry.trigger.action_version)

    async def item_counts(self, entry: Entry) -> Mapping[str, Counts]:
        """How many items of each of a trigger's stages are in which state."""
        require_own(self._tenant, entry.trigger)
        return await item_counts(self._session, entry.trigger.id)

    async def failed_attempts(self, entry: Entry) -> Mapping[str, Sequence[AttemptRow]]:
        """The failed attempts of a trigger's stages that were tried again, by the id of the stage."""
        require_own(self._tenant, entry.trigger)
        return await attempts_of(self._session, entry.trigger.id)

    async def items(
        self, entry: Entry, stage_id: str, states: Iterable[ItemState], after: int, limit: int
    ) -> Sequence[ItemRow]:
        """The items of a stage behind number `after`, in any or in some states."""
        require_own(self._tenant, entry.trigger)
        return await page_of_items(self._session, entry.trigger.id, stage_id, states, after, limit)

    async def sighting(self, entry: Entry) -> Sighting:
        """Where a trigger and its stages stand, with their logs."""
        require_own(self._tenant, entry.trigger)
        return (await sightings(self._session, [entry.trigger.id], {}))[entry.trigger.id]

    async def item_log(self, entry: Entry, stage_id: str, item: int) -> str | None:
        """What an item of a stage has logged; None if there is no such item."""
        require_own(self._tenant, entry.trigger)
        return await log_of_item(self._session, Unit(entry.trigger.id, stage_id, item))

    async def rerun(self, entry: Entry, kept: Kept, now: datetime) -> Entry:
        """A trigger that executes what the earlier one did, but for what it takes over."""
        require_own(self._tenant, entry.trigger)
        query = select(ActionRow).where(col(ActionRow.id) == entry.trigger.action_id)
        action = (await self._session.execute(query)).scalar_one()
        origin = Origin("rerun", rerun_of=entry.trigger)
        again = await self.add_manual(action, None, entry.trigger.inputs, now, origin)
        await take_over(self._session, entry.trigger.id, again.trigger.id, kept)
        return again

    async def reruns(self, entry: Entry) -> Sequence[str]:
        """The ids of those that repeat a part of a trigger."""
        require_own(self._tenant, entry.trigger)
        return await reruns_of(self._session, entry.trigger.id)

    async def cancel(self, trigger_id: str, now: datetime, *, is_forced: bool) -> Cancelling:
        """Settle a trigger that has not begun, or is ended by force; raises NotFound, and Conflict."""
        return await cancel_trigger(self._session, self._tenant, trigger_id, now, is_forced=is_forced)

    async def add_manual(
        self,
        action: ActionRow,
        schedule: ScheduleRow | None,
        inputs: JsonValue,
        now: datetime,
        origin: Origin = BY_HAND,
    ) -> Entry:
        """A trigger that is due now because somebody, or something, asked for it."""
        require_own(self._tenant, action, schedule)
        earlier = origin.rerun_of
        trigger_id, name = new_id("trg", now), plain_name(action.name)
        row = TriggerRow(
            id=trigger_id, tenant_id=self._tenant.id, action_id=action.id,
            action_version=earlier.action_version if earlier else action.version,
            priority=action.priority, schedule_id=schedule.id if schedule else None,
            due=earlier.due if earlier else now, planned=now, inputs=inputs, allocated_at=now,
            rerun_of=earlier.id if earlier else None,
            reason=origin.reason, parent_id=origin.parent_id, depth=origin.depth, webhook=origin.webhook,
            is_test=True if origin.test is not None else None, test=origin.test,
            workflow_id=asked_workflow(self._tenant.slug, name, origin.reason, trigger_id),
            # Others of its schedule, or the stage that asked for it, may wait for its end.
            is_guarded=schedule is not None or bool(origin.parent_id),
        )  # fmt: skip
        self._session.add(row)
        await self._session.flush()
        return Entry(row, name, schedule.name if schedule else None)


def _entries() -> Select[TriggerRow, str, str]:
    return (
        select(TriggerRow, col(ActionRow.name).label("action"), col(ScheduleRow.name).label("schedule"))
        .join(ActionRow, col(ActionRow.id) == col(TriggerRow.action_id))
        .outerjoin(ScheduleRow, col(ScheduleRow.id) == col(TriggerRow.schedule_id))
    )


def _entry(row: Row[TriggerRow, str, str]) -> Entry:
    return Entry(row.TriggerRow, plain_name(row.action), row.schedule)
