"""What the allocation of a schedule reads and writes: its row, locked, and its ledger rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.names import again
from cronny.scheduling.allocation import LEAD, Handout
from cronny.store.changed_fires import apply_changes, moved_dues
from cronny.store.events import ENGINE, Events
from cronny.store.fires import Allocatable, ledger_rows
from cronny.store.schedules import Schedules
from cronny.store.tables import ActionRow, EventKind, ScheduleRow, Tenant, TriggerRow, TriggerState
from cronny.store.terms import FREE, Terms

RATE = (
    12  # allocations a second: less than half of what two cores manage, the rest is for triggers themselves
)
SLOW = timedelta(seconds=3)  # after its due, and its allocation, a trigger should have been claimed
MOST_OVERDUE = 5000  # are counted: so many say all there is to say
REVIVABLE = ("superseded", "paused", "deleted")  # reasons after which a due may be allocated again
REVIVED = (  # what a due that is allocated again takes from its new row
    "action_id", "action_version", "is_postponed", "priority", "planned", "state", "reason", "generation",
    "is_guarded", "overlap", "start_by", "complete_on", "inputs", "count", "until", "allocated_at",
    "finished_at",
)  # fmt: skip


async def lock_schedule(session: AsyncSession, schedule_id: str) -> Allocatable | None:
    """The schedule of that id, locked until the transaction ends; None when it is gone."""
    query = (
        select(ScheduleRow, ActionRow, Tenant)
        .join(ActionRow, col(ActionRow.id) == col(ScheduleRow.action_id))
        .join(Tenant, col(Tenant.id) == col(ScheduleRow.tenant_id))
        .where(col(ScheduleRow.id) == schedule_id)
        .with_for_update(of=ScheduleRow)
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else Allocatable(*row)


async def end_pause(session: AsyncSession, target: Allocatable, until: datetime) -> None:
    """Let a schedule fire again whose pause was to last until this instant."""
    schedule = target.schedule
    await Schedules(session, target.tenant).resume(schedule.name, until)
    await Events(session, schedule.tenant_id).add(
        EventKind.SCHEDULE_RESUMED, schedule_id=schedule.id, action_id=schedule.action_id, actor=ENGINE,
        note="the pause has come to its end", now=until,
    )  # fmt: skip


async def write_fires(
    session: AsyncSession,
    target: Allocatable,
    handout: Handout,
    inputs: JsonValue,
    now: datetime,
    terms: Terms = FREE,
) -> None:
    """Write the ledger rows of a handout and move the schedule's position."""
    schedule = target.schedule
    rows = ledger_rows(target, handout, inputs, now, terms)
    if _was_postponed(schedule):
        for row in rows:
            row.is_postponed = row.state is TriggerState.SCHEDULED and now > row.due - LEAD
    await merge_fires(session, schedule, rows, now)
    schedule.cursor = handout.cursor
    schedule.last_due = max(filter(None, [*handout.run, schedule.last_due]), default=None)
    if handout.next_due != schedule.next_due or schedule.wake_at is None:
        schedule.next_due = handout.next_due
        schedule.wake_at = await _wake_at(session, schedule)


def _was_postponed(schedule: ScheduleRow) -> bool:
    """Whether its next fire was to be allocated later than a lead ahead: `postpone` alone says so."""
    if schedule.wake_at is None:
        return False
    return schedule.next_due is None or schedule.wake_at > schedule.next_due - LEAD


async def merge_fires(
    session: AsyncSession, schedule: ScheduleRow, rows: Sequence[TriggerRow], now: datetime
) -> None:
    """Add rows to the ledger as operators changed them; a due that has happened keeps its row."""
    if schedule.has_changes:
        await apply_changes(session, schedule, rows, now)
    await _merge(session, schedule, rows)


async def unstarted(
    session: AsyncSession, schedule: ScheduleRow, spawned: datetime | None
) -> Sequence[TriggerRow]:
    """The rows whose trigger nobody claimed yet, of this generation, later than `spawned`; by due.

    Fires that were moved are not among them: they are started out of turn.
    """
    query = select(TriggerRow).where(
        col(TriggerRow.schedule_id) == schedule.id,
        col(TriggerRow.state) == TriggerState.SCHEDULED,
        col(TriggerRow.generation) == schedule.generation,
    )
    if spawned is not None:
        query = query.where(col(TriggerRow.due) > spawned)
    if schedule.has_changes:
        query = query.where(col(TriggerRow.due).not_in(moved_dues(schedule.id)))
    return (await session.execute(query.order_by(col(TriggerRow.due)))).scalars().all()


async def postpone(session: AsyncSession, schedule: ScheduleRow, until: datetime) -> None:
    """Allocate nothing now; the fires after the cursor are asked for again at that instant."""
    schedule.wake_at = until
    session.add(schedule)


@dataclass(frozen=True)
class Overdue:
    """Triggers of a tenant that should have been claimed and wait for nothing else."""

    count: int
    allocated: datetime  #: The latest of them.


async def overdue(session: AsyncSession, now: datetime) -> dict[str, Overdue]:
    """What is overdue, by the tenant's slug."""
    waiting = (
        select(col(TriggerRow.tenant_id), col(TriggerRow.allocated_at))
        .where(
            col(TriggerRow.state) == TriggerState.SCHEDULED,
            col(TriggerRow.due) < now - SLOW,  # for the index
            col(TriggerRow.planned) < now - SLOW,
            col(TriggerRow.allocated_at) < now - SLOW,
            col(TriggerRow.reason) == "",
        )
        .limit(MOST_OVERDUE)
        .subquery()
    )
    query = select(col(Tenant.slug), func.count(), func.max(waiting.c.allocated_at)).join(
        waiting, waiting.c.tenant_id == col(Tenant.id)
    )
    found = await session.execute(query.group_by(col(Tenant.slug)))
    return {row[0]: Overdue(row[1], row[2]) for row in found}


async def _wake_at(session: AsyncSession, schedule: ScheduleRow) -> datetime | None:
    """When to allocate the next fire: the more schedules wait for the same instant, the earlier.

    A schedule's place among them, not a hash, gives its lead: allocations are then evenly spread.
    """
    if schedule.next_due is None:
        return None
    query = select(func.count()).where(
        col(ScheduleRow.next_due) == schedule.next_due, col(ScheduleRow.id) != schedule.id
    )
    rank = (await session.execute(query)).scalar_one()
    return schedule.next_due - LEAD - timedelta(seconds=rank / RATE)


async def _merge(session: AsyncSession, schedule: ScheduleRow, rows: Sequence[TriggerRow]) -> None:
    """Add rows, numbered on from the schedule's last; a due that has a row keeps it and its number."""
    query = select(TriggerRow).where(
        col(TriggerRow.schedule_id) == schedule.id,
        col(TriggerRow.due).in_([row.due for row in rows]),
        col(TriggerRow.backfill_id) == "",
    )
    known = {row.due: row for row in (await session.execute(query)).scalars()} if rows else {}
    for row in rows:
        earlier = known.get(row.due)
        if earlier is None:
            row.number = schedule.fires + 1
            schedule.fires += row.count
            session.add(row)
        elif earlier.state is TriggerState.SKIPPED and earlier.reason in REVIVABLE:
            schedule.fires += row.count - earlier.count
            _revive(earlier, row)
    await session.flush()


def _revive(earlier: TriggerRow, row: TriggerRow) -> None:
    for name in REVIVED:
        setattr(earlier, name, getattr(row, name))
    earlier.workflow_id = again(row.workflow_id, row.generation)
