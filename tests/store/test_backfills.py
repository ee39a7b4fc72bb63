"""Backfills: their rows, their progress, their end."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from cronny.errors import Conflict, NotFound
from cronny.scheduling.allocation import LEAD
from cronny.store.backfilled import to_start
from cronny.store.backfills import Backfill, Backfills, BackfillState, Order
from cronny.store.database import Database
from cronny.store.schedules import Schedules
from cronny.store.tables import TriggerRow, TriggerState
from cronny.store.watch import stuck_triggers
from tests.store.samples import MINUTE, NOW, Owner, add, add_owner, fire, ledger

HOUR = 60 * MINUTE


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


def ago(minutes: int) -> datetime:
    return NOW - minutes * MINUTE


async def start(database: Database, owner: Owner, *minutes: int, **changes: Any) -> str:
    values = {"rate": 60, "overlap": "allow", "inputs": {"a": 1}, "actor": "ops", "note": "", **changes}
    order = Order(since=ago(max(minutes)), until=ago(min(minutes)), **values)
    async with database.write() as session:
        backfills = Backfills(session, owner.tenant)
        return (await backfills.add(owner.schedule, owner.action, [*map(ago, minutes)], order, NOW)).id


async def get(database: Database, owner: Owner, name: str) -> Backfill:
    async with database.read() as session:
        return await Backfills(session, owner.tenant).get(owner.schedule, name)


async def settle(database: Database, minute: int, state: TriggerState) -> None:
    async with database.write() as session:
        await session.execute(
            update(TriggerRow).where(col(TriggerRow.due) == ago(minute)).values(state=state)
        )


async def test_each_fire_has_a_row_beside_its_own(database: Database, owner: Owner) -> None:
    await add(database, fire(owner, ago(3), state=TriggerState.FAILED))
    name = await start(database, owner, 3, 2, rate=30, overlap="skip")
    assert [
        (row.due, row.planned, row.backfill_id, row.reason, row.is_guarded, row.overlap, row.generation)
        for row in await ledger(database)
        if row.backfill_id
    ] == [
        (ago(3), NOW, name, "backfill", True, "skip", 0),
        (ago(2), NOW + MINUTE / 30, name, "backfill", True, "skip", 0),
    ]


async def test_its_workflows_are_named_after_it(database: Database, owner: Owner) -> None:
    name = await start(database, owner, 60)
    assert [row.workflow_id for row in await ledger(database)] == [
        f"trigger/acme/often/2026-11-24T08:00:00Z/{name}"
    ]


async def test_what_is_near_is_to_be_started(database: Database, owner: Owner) -> None:
    await start(database, owner, 3, 2, 1, rate=6)  # one in ten seconds, so that the second is beyond the lead
    async with database.read() as session:
        found = [(one.row.due, one.rate, one.schedule) for one in await to_start(session, NOW)]
        later = await to_start(session, NOW + MINUTE / 6 - LEAD)
    assert (found, len(later)) == ([(ago(3), 6, "often")], 2)


async def test_the_watchdog_leaves_alone_what_waits_for_its_rate(database: Database, owner: Owner) -> None:
    await start(database, owner, 60)
    async with database.read() as session:
        assert await stuck_triggers(session, NOW + HOUR) == []


async def test_progress_is_counted(database: Database, owner: Owner) -> None:
    name = await start(database, owner, 4, 3, 2, 1)
    for minute, state in enumerate((TriggerState.COMPLETED, TriggerState.FAILED, TriggerState.EXECUTING), 1):
        await settle(database, minute, state)
    found = await get(database, owner, name)
    assert (found.state, found.row.total, found.counts) == (
        BackfillState.RUNNING, 4,
        dict.fromkeys(("completed", "failed", "executing", "scheduled"), 1),
    )  # fmt: skip


async def test_it_is_completed_when_each_fire_has_ended(database: Database, owner: Owner) -> None:
    name = await start(database, owner, 1)
    await settle(database, 1, TriggerState.FAILED)
    assert (await get(database, owner, name)).state is BackfillState.COMPLETED


async def test_a_cancelled_one_leaves_out_what_has_not_begun(database: Database, owner: Owner) -> None:
    name, other = await start(database, owner, 4, 3), await start(database, owner, 2)
    await settle(database, 4, TriggerState.EXECUTING)
    async with database.write() as session:
        cancelled = await Backfills(session, owner.tenant).cancel(owner.schedule, name, NOW)
    assert (cancelled.state, cancelled.counts) == (BackfillState.CANCELLED, {"executing": 1, "skipped": 1})
    assert (await get(database, owner, other)).state is BackfillState.RUNNING


async def test_one_that_has_begun_wholly_is_not_cancelled(database: Database, owner: Owner) -> None:
    name = await start(database, owner, 1)
    await settle(database, 1, TriggerState.EXECUTING)
    async with database.write() as session:
        with pytest.raises(Conflict, match="nothing of the backfill is left"):
            await Backfills(session, owner.tenant).cancel(owner.schedule, name, NOW)


async def test_a_pause_leaves_it_alone_and_a_deletion_ends_it(database: Database, owner: Owner) -> None:
    name = await start(database, owner, 1)
    async with database.write() as session:
        await Schedules(session, owner.tenant).pause("often", "", NOW)
    assert (await get(database, owner, name)).state is BackfillState.RUNNING
    async with database.write() as session:
        await Schedules(session, owner.tenant).delete("often", NOW)
    assert (await get(database, owner, name)).state is BackfillState.CANCELLED


async def test_another_tenants_is_not_found(database: Database, owner: Owner) -> None:
    name, other = await start(database, owner, 1), await add_owner(database, "other")
    with pytest.raises(NotFound):
        await get(database, other, name)
