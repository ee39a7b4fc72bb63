"""The ends of guarded triggers: what they mean for their schedule, and who waits for them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.events import ENGINE, Events
from cronny.store.guarded import first_waiting, lock_schedules
from cronny.store.records import TriggerEnd, end_triggers
from cronny.store.schedules import Schedules
from cronny.store.tables import EventKind, ScheduleRow, Tenant, TriggerRow, TriggerState
from cronny.store.waits import waiting_parents

ENDED = (TriggerState.COMPLETED, TriggerState.FAILED)

# One that completed when it started still gets what its action gave.
_END_STARTED = (
    update(TriggerRow)
    .where(
        col(TriggerRow.id) == bindparam("of_trigger"),
        col(TriggerRow.run_id) == bindparam("of_run"),
        col(TriggerRow.state) == TriggerState.COMPLETED,
        col(TriggerRow.reason) == "started",
    )
    .values({
        name: bindparam(f"to_{name}", type_=getattr(TriggerRow, name).type) for name in ("outputs", "error")
    })
    .execution_options(synchronize_session=False)
)  # fmt: skip


async def end_guarded(session: AsyncSession, ends: Sequence[TriggerEnd], now: datetime) -> list[str]:
    """Settle triggers and pause what keeps failing; for each, the workflow that waits for its end, or none.

    Doing it again changes nothing and gives who waits by then.
    """
    query = select(col(TriggerRow.id), col(TriggerRow.schedule_id)).where(
        col(TriggerRow.id).in_([end.trigger_id for end in ends])
    )
    schedule_of = {row.id: row.schedule_id for row in await session.execute(query)}
    schedules = await lock_schedules(session, schedule_of.values())
    await end_triggers(session, ends, now)
    await (await session.connection()).execute(_END_STARTED, [_started_values(end) for end in ends])
    failed = {schedule_of.get(end.trigger_id) for end in ends if end.state is TriggerState.FAILED}
    await _pause_failing(session, [one for one in schedules if one in failed], now)
    waiting = await first_waiting(session, schedules)
    parents = await waiting_parents(session, [end.trigger_id for end in ends])
    return [
        parents.get(end.trigger_id) or waiting.get(schedule_of.get(end.trigger_id) or "", "") for end in ends
    ]


async def after_lost(session: AsyncSession, row: TriggerRow, now: datetime) -> str | None:
    """What follows when a trigger was settled as lost: as after any failure; the workflow that waits."""
    if row.schedule_id is None:
        return (await waiting_parents(session, [row.id])).get(row.id)
    await _pause_failing(session, [row.schedule_id], now)
    return (await first_waiting(session, [row.schedule_id])).get(row.schedule_id)


async def _pause_failing(session: AsyncSession, schedules: Iterable[str], now: datetime) -> None:
    for schedule_id in schedules:
        row = await session.get_one(ScheduleRow, schedule_id)
        limit = _failure_limit(row)
        if limit is not None and not row.is_paused and await _keeps_failing(session, row, limit):
            tenant = await session.get_one(Tenant, row.tenant_id)
            note = f"paused after {limit} failures in a row" if limit > 1 else "paused after a failure"
            await Schedules(session, tenant).pause(row.name, note, now)
            await Events(session, row.tenant_id).add(
                EventKind.SCHEDULE_PAUSED, schedule_id=row.id, action_id=row.action_id, actor=ENGINE,
                note=note, now=now,
            )  # fmt: skip


async def _keeps_failing(session: AsyncSession, row: ScheduleRow, limit: int) -> bool:
    """Whether the last fires failed, as many as `limit`, since the schedule was last changed or resumed."""
    last = (
        select(col(TriggerRow.state))
        .where(
            col(TriggerRow.schedule_id) == row.id,
            col(TriggerRow.generation) == row.generation,
            col(TriggerRow.state).in_(ENDED),
        )
        .order_by(col(TriggerRow.due).desc())
        .limit(limit)
    )
    states = (await session.execute(last)).scalars().all()
    return len(states) == limit and set(states) == {TriggerState.FAILED}


def _failure_limit(row: ScheduleRow) -> int | None:
    limit = row.source.get("pause_after_failures") if isinstance(row.source, dict) else None
    return limit if isinstance(limit, int) else None


def _started_values(end: TriggerEnd) -> dict[str, object]:
    return {
        "of_trigger": end.trigger_id, "of_run": end.run_id, "to_outputs": end.outputs, "to_error": end.error,
    }  # fmt: skip
