import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from cronny.store.database import Database
from cronny.store.schedules import Schedules
from cronny.store.tables import TriggerState
from cronny.store.watch import (
    BATCH,
    LOOKS,
    OVERSLEPT,
    SILENT,
    UNCLAIMED,
    UNSEEN,
    StuckTrigger,
    executing_triggers,
    settle_lost,
    stuck_schedules,
    stuck_triggers,
    take_lease,
)
from tests.store.samples import MINUTE, NOW, SECOND, Owner, add, add_owner, executing, fire, ledger

TICK = timedelta(microseconds=1)
SPAN = 15 * SECOND


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


async def lease(database: Database, holder: str, now: datetime) -> bool:
    async with database.write() as session:
        return await take_lease(session, "watchdog", holder, now, SPAN)


async def set_schedule(database: Database, owner: Owner, **values: object) -> None:
    async with database.write() as session:
        row = await Schedules(session, owner.tenant).get("often", is_locked=True)
        for name, value in values.items():
            setattr(row, name, value)


async def stuck(database: Database, now: datetime) -> list[tuple[str, str, str]]:
    async with database.read() as session:
        return [(one.tenant, one.row.name, one.action) for one in await stuck_schedules(session, now)]


async def unclaimed(database: Database, now: datetime) -> list[StuckTrigger]:
    async with database.read() as session:
        return list(await stuck_triggers(session, now))


async def silent(
    database: Database, now: datetime, after: tuple[datetime, str] | None = None
) -> list[StuckTrigger]:
    async with database.read() as session:
        return list(await executing_triggers(session, now, after))


async def settled(database: Database, trigger: StuckTrigger) -> bool:
    async with database.write() as session:
        return await settle_lost(session, trigger, NOW + MINUTE)


async def test_of_many_who_ask_at_once_one_gets_the_lease(database: Database) -> None:
    answers = await asyncio.gather(*[lease(database, f"w{number}", NOW) for number in range(10)])
    assert answers.count(True) == 1


@pytest.mark.parametrize(
    ("holder", "late", "is_taken"),
    [("a", SECOND, True), ("b", SPAN, False), ("b", SPAN + TICK, True), ("a", 2 * SPAN, True)],
)
async def test_a_lease_is_renewed_by_its_holder_and_taken_over_when_it_ended(
    database: Database, holder: str, late: timedelta, is_taken: bool
) -> None:
    assert await lease(database, "a", NOW)
    assert await lease(database, holder, NOW + late) is is_taken


async def test_of_many_who_take_over_one_gets_the_lease(database: Database) -> None:
    await lease(database, "gone", NOW)
    late = NOW + SPAN + TICK
    answers = await asyncio.gather(*[lease(database, f"w{number}", late) for number in range(10)])
    assert answers.count(True) == 1


@pytest.mark.parametrize(
    ("values", "now", "is_stuck"),
    [
        ({}, NOW + UNSEEN, False),
        ({}, NOW + UNSEEN + TICK, True),
        ({"is_paused": True}, NOW + UNSEEN + TICK, True),
        ({"deleted_at": NOW}, NOW + UNSEEN + TICK, True),
        ({"observed_generation": 1}, NOW + MINUTE, False),
        ({"observed_generation": 1, "wake_at": NOW}, NOW + OVERSLEPT, False),
        ({"observed_generation": 1, "wake_at": NOW}, NOW + OVERSLEPT + TICK, True),
        ({"observed_generation": 1, "wake_at": NOW, "is_paused": True}, NOW + MINUTE, False),
        ({"observed_generation": 1, "wake_at": NOW, "deleted_at": NOW}, NOW + MINUTE, False),
    ],
)
async def test_a_schedule_is_stuck_when_its_change_or_its_wake_was_not_noticed(
    database: Database, owner: Owner, values: dict[str, Any], now: datetime, is_stuck: bool
) -> None:
    await set_schedule(database, owner, **values)
    assert await stuck(database, now) == ([("acme", "often", "check")] if is_stuck else [])


@pytest.mark.parametrize(("late", "is_stuck"), [(UNCLAIMED, False), (UNCLAIMED + TICK, True)])
async def test_a_trigger_is_stuck_when_nobody_claims_it(
    database: Database, owner: Owner, late: timedelta, is_stuck: bool
) -> None:
    await add(database, fire(owner), executing(owner, NOW - MINUTE), fire(owner, NOW + MINUTE))
    found = await unclaimed(database, NOW + late)
    names = [(one.row.due, one.tenant, one.action, one.schedule) for one in found]
    assert names == ([(NOW, "acme", "check", "often")] if is_stuck else [])


async def test_a_trigger_by_hand_is_stuck_without_a_schedule(database: Database, owner: Owner) -> None:
    await add(database, fire(owner, schedule_id=None, generation=0, reason="manual"))
    assert [one.schedule for one in await unclaimed(database, NOW + MINUTE)] == [None]


async def test_a_tenant_that_nobody_serves_leaves_room_for_others(database: Database, owner: Owner) -> None:
    other = await add_owner(database, "other")
    await add(database, *[fire(owner, NOW - number * SECOND) for number in range(BATCH + 10)], fire(other))
    found = await unclaimed(database, NOW + MINUTE)
    assert (len(found), [one.tenant for one in found[:2]]) == (BATCH, ["acme", "other"])
    assert found[0].row.due == NOW - (BATCH + 9) * SECOND


@pytest.mark.parametrize(("late", "is_silent"), [(SILENT, False), (SILENT + TICK, True)])
async def test_a_trigger_is_looked_for_a_while_after_its_claim(
    database: Database, owner: Owner, late: timedelta, is_silent: bool
) -> None:
    await add(database, executing(owner), fire(owner, NOW - MINUTE))
    found = [one.row.run_id for one in await silent(database, NOW + late)]
    assert found == (["run"] if is_silent else [])


async def test_executing_triggers_come_page_by_page(database: Database, owner: Owner) -> None:
    rows = [executing(owner, NOW + number % 7 * SECOND, schedule_id=None) for number in range(LOOKS + 10)]
    await add(database, *rows)
    first = await silent(database, NOW + 2 * MINUTE)
    rest = await silent(database, NOW + 2 * MINUTE, (first[-1].row.due, first[-1].row.id))
    assert [one.row.id for one in [*first, *rest]] == [
        row.id for row in sorted(rows, key=lambda row: (row.due, row.id))
    ]


async def test_a_lost_trigger_fails_once(database: Database, owner: Owner) -> None:
    await add(database, executing(owner))
    (lost,) = await silent(database, NOW + 2 * MINUTE)
    assert [await settled(database, lost), await settled(database, lost)] == [True, False]
    (row,) = await ledger(database)
    assert (row.state, row.reason, row.finished_at) == (TriggerState.FAILED, "workflow_lost", NOW + MINUTE)


@pytest.mark.parametrize("meanwhile", [{"state": TriggerState.COMPLETED}, {"run_id": "later"}], ids=str)
async def test_a_trigger_that_moved_on_is_not_lost(
    database: Database, owner: Owner, meanwhile: dict[str, Any]
) -> None:
    row = executing(owner, **meanwhile)
    await add(database, row)
    seen = StuckTrigger(executing(owner, id=row.id), "acme", "check", "often")
    assert not await settled(database, seen)
