"""The fires that a rule had and that an outage left without a row, when the rule is given up."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.calendars import dates_of, load_content
from cronny.scheduling import UnknownCalendar, compile_schedule
from cronny.scheduling.catchup import left_out
from cronny.scheduling.compiled import Compiled
from cronny.store.calendars import Calendars
from cronny.store.fires import Allocatable, row_of
from cronny.store.tables import ActionRow, ScheduleRow, Tenant, TriggerRow, TriggerState
from dsl.schedule import read_schedule


async def write_unallocated(
    session: AsyncSession, tenant: Tenant, schedule: ScheduleRow, reason: str, now: datetime
) -> None:
    """Write down the fires between a schedule's position and now as skipped, many of them as one row."""
    compiled = await _compiled(session, schedule) if schedule.cursor < now else None
    if compiled is None:
        return
    action = await session.get_one(ActionRow, schedule.action_id)
    for missed in left_out(compiled, schedule.cursor, now):
        row = row_of(Allocatable(schedule, action, tenant), missed.first, now, TriggerState.SKIPPED)
        row.reason = "paused" if schedule.is_paused else reason
        row.count, row.until = missed.count, missed.last if missed.count > 1 else None
        row.inputs, row.finished_at, row.number = schedule.inputs, now, schedule.fires + 1
        if not await _has_row(session, schedule, missed.first):
            schedule.fires += missed.count
            session.add(row)


async def _compiled(session: AsyncSession, schedule: ScheduleRow) -> Compiled | None:
    rule, _ = read_schedule(schedule.source)
    if rule is None:  # written by a version that knew more
        return None
    held = await Calendars(session, schedule.tenant_id).contents(rule.calendar_names)
    dates = {mark.name: dates_of(load_content(model)) for mark, model in held.items()}
    try:
        return compile_schedule(rule, schedule.anchor, dates)
    except UnknownCalendar:
        return None


async def _has_row(session: AsyncSession, schedule: ScheduleRow, due: datetime) -> bool:
    query = select(col(TriggerRow.id)).where(
        col(TriggerRow.schedule_id) == schedule.id,
        col(TriggerRow.due) == due,
        col(TriggerRow.backfill_id) == "",
    )
    return (await session.execute(query)).first() is not None
