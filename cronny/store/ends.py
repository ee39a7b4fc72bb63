"""The ends of guarded triggers: what they mean for their schedule, and who waits for them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.blobs import column_of
from cronny.store.events import ENGINE, Events
from cronny.store.open_rows import Held, hold
from cronny.store.records import TriggerEnd, end_triggers
from cronny.store.releasing import releases
from cronny.store.schedules import Schedules
from cronny.store.tables import EventKind, ScheduleRow, Tenant, TriggerRow, TriggerState
from cronny.store.waits import waiting_parents

ENDED = (TriggerState.COMPLETED, TriggerState.FAILED)


@dataclass(frozen=True)
class Ending:
    """What the end of a trigger concerns."""

    id: str
    tenant_id: str
    action_id: str
    schedule_id: str | None
    concurrency_key: str | None


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
        name: bindparam(f"to_{name}", type_=getattr(TriggerRow, name).type)
        for name in ("outputs", "error", "large")
    })
    .execution_options(synchronize_session=False)
)  # fmt: skip


async def end_guarded(
    session: AsyncSession, ends: Sequence[TriggerEnd], now: datetime
) -> list[tuple[str, ...]]:
    """Settle triggers and pause what keeps failing; for each, the workflows that may go because of its end.

    Doing it again changes nothing and gives who waits by then.
    """
    rows = await ending(session, [end.trigger_id for end in ends])
    held = await hold_of(session, rows.values())
    await end_triggers(session, ends, now)
    await (await session.connection()).execute(_END_STARTED, [_started_values(end) for end in ends])
    failed = {end.trigger_id for end in ends if end.state is TriggerState.FAILED}
    of_failed = {row.schedule_id for row in rows.values() if row.id in failed}
    await _pause_failing(session, [one for one in held.schedules if one in of_failed], now)
    found = await releases(session, held, {row.tenant_id for row in rows.values()})
    parents = await waiting_parents(session, [end.trigger_id for end in ends])
    return [
        (
            *_parent(parents, end.trigger_id),
            *(found.after(rows[end.trigger_id]) if end.trigger_id in rows else ()),
        )
        for end in ends
    ]


def _parent(parents: Mapping[str, str], trigger_id: str) -> tuple[str, ...]:
    """The workflow whose stage has asked for a trigger and waits for its end."""
    return (parents[trigger_id],) if parents.get(trigger_id) else ()


async def hold_of(session: AsyncSession, rows: Collection[Ending | TriggerRow]) -> Held:
    """Lock what the ends of some triggers concern: before the triggers themselves, as their claims do."""
    return await hold(
        session,
        tenants={row.tenant_id for row in rows},
        actions={row.action_id for row in rows if row.concurrency_key is not None},
        schedules=[row.schedule_id for row in rows],
    )


async def guarded_among(session: AsyncSession, ids: Sequence[str]) -> set[str]:
    """Which of these triggers are guarded: their claims, which know more than who wrote them, say so, too."""
    query = select(col(TriggerRow.id)).where(col(TriggerRow.id).in_(ids), col(TriggerRow.is_guarded))
    return set((await session.execute(query)).scalars())


async def after_lost(session: AsyncSession, row: TriggerRow, now: datetime) -> tuple[str, ...]:
    """What follows when a trigger was settled as lost: as after any failure; the workflows that may go."""
    held = await hold_of(session, [row])
    await _pause_failing(session, held.schedules, now)
    return await freed_by(session, row)


async def freed_by(session: AsyncSession, row: TriggerRow) -> tuple[str, ...]:
    """The workflows that may go as a trigger has been settled, in the transaction that has done it."""
    held = await hold_of(session, [row])
    parents = await waiting_parents(session, [row.id])
    return (*_parent(parents, row.id), *(await releases(session, held, {row.tenant_id})).after(row))


async def ending(session: AsyncSession, ids: Sequence[str]) -> dict[str, Ending]:
    """What the ends of these triggers concern, by id."""
    columns = [col(getattr(TriggerRow, one.name)) for one in fields(Ending)]
    query = select(*columns).where(col(TriggerRow.id).in_(ids))
    return {row.id: Ending(*row) for row in await session.execute(query)}


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
        "to_large": column_of(end.large),
    }  # fmt: skip
