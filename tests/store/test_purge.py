from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cronny.metrics import Metrics
from cronny.purger import Purger
from cronny.store.actions import Actions
from cronny.store.database import Database
from cronny.store.events import EventFilter, Events
from cronny.store.purge import BATCH, Purged, purge_batch
from cronny.store.tables import ActionRow, ActionVersion, EventKind, StageRow, StageState, TriggerState
from cronny.store.wait_tables import WaitRow
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, fire, ledger, stage_records

DAY = timedelta(days=1)
OLD = NOW - 91 * DAY


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


async def purged(database: Database, owner: Owner) -> tuple[int, int]:
    batch = await purge_batch(database, owner.tenant, NOW)
    return batch.triggers, batch.events


async def note(database: Database, owner: Owner, kind: EventKind, age: timedelta) -> None:
    async with database.write() as session:
        about = owner.schedule.id if kind.startswith("schedule") else None
        await Events(session, owner.tenant.id).add(kind, schedule_id=about, now=NOW - age)


async def kinds(database: Database, owner: Owner) -> list[str]:
    async with database.read() as session:
        found = await Events(session, owner.tenant.id).page(EventFilter(), None, 100)
    return [event.row.kind for event in found][::-1]


@pytest.mark.parametrize(
    ("changes", "is_purged"),
    [
        ({"state": TriggerState.COMPLETED, "finished_at": OLD}, True),
        ({"state": TriggerState.FAILED, "finished_at": OLD}, True),
        ({"state": TriggerState.MISSED, "finished_at": OLD, "count": 3, "until": OLD + SECOND}, True),
        ({"state": TriggerState.MISSED, "finished_at": OLD, "count": 3, "until": NOW - DAY}, False),
        ({"state": TriggerState.COMPLETED, "finished_at": NOW - DAY}, False),
        ({"state": TriggerState.SCHEDULED}, False),
        ({"state": TriggerState.EXECUTING}, False),
        ({"state": TriggerState.COMPLETED, "due": NOW - 89 * DAY, "finished_at": NOW - 89 * DAY}, False),
    ],
    ids=str,
)
async def test_only_what_ended_before_the_retention_is_purged(
    database: Database, owner: Owner, changes: dict[str, Any], is_purged: bool
) -> None:
    await add(database, fire(owner, **{"due": OLD, **changes}))
    assert await purged(database, owner) == (int(is_purged), 0)
    assert len(await ledger(database)) == 1 - is_purged


async def test_stage_records_go_with_their_trigger(database: Database, owner: Owner) -> None:
    old = fire(owner, OLD, state=TriggerState.COMPLETED, finished_at=OLD)
    young = fire(owner, NOW, state=TriggerState.COMPLETED, finished_at=NOW)
    records = [
        StageRow(trigger_id=row.id, stage_id="a", state=StageState.COMPLETED, started_at=row.due)
        for row in (old, young)
    ]
    await add(database, old, young, *records)
    await purged(database, owner)
    assert [record.trigger_id for record in await stage_records(database)] == [young.id]


async def test_each_tenant_keeps_what_it_wants(database: Database, owner: Owner) -> None:
    other = await add_owner(database, "other")
    other.tenant.retention_days = 200
    rows = [fire(one, OLD, state=TriggerState.COMPLETED, finished_at=OLD) for one in (owner, other)]
    await add(database, *rows)
    assert [await purged(database, other), await purged(database, owner)] == [(0, 0), (1, 0)]
    assert [row.tenant_id for row in await ledger(database)] == [other.tenant.id]


async def test_a_batch_is_small_and_the_oldest_go_first(database: Database, owner: Owner) -> None:
    rows = [
        fire(owner, OLD - number * SECOND, state=TriggerState.COMPLETED, finished_at=OLD)
        for number in range(BATCH + 3)
    ]
    await add(database, *rows)
    assert await purged(database, owner) == (BATCH, 0)
    assert [row.due for row in await ledger(database)] == [OLD - 2 * SECOND, OLD - SECOND, OLD]


async def test_the_last_of_each_kind_in_a_schedules_life_stays(database: Database, owner: Owner) -> None:
    for kind, days in (
        (EventKind.CONNECTION_SAVED, 120),
        (EventKind.SCHEDULE_CREATED, 120),
        (EventKind.SCHEDULE_CHANGED, 110),
        (EventKind.SCHEDULE_CHANGED, 100),
        (EventKind.SCHEDULE_WOKEN, 99),
        (EventKind.SCHEDULE_CHANGED, 10),
    ):
        await note(database, owner, kind, days * DAY)
    assert await purged(database, owner) == (0, 3)
    assert await kinds(database, owner) == ["schedule_created", "schedule_changed", "schedule_changed"]


async def test_a_round_goes_on_until_nothing_is_left(database: Database, owner: Owner) -> None:
    rows = [
        fire(owner, OLD - number * SECOND, state=TriggerState.COMPLETED, finished_at=OLD)
        for number in range(2 * BATCH + 1)
    ]
    await add(database, *rows)
    metrics = Metrics()
    await Purger(database, lambda: NOW, "w1", metrics).round()
    purged = metrics.registry.get_sample_value("cronny_purged_total", {"kind": "trigger"})
    assert (await ledger(database), purged) == ([], 2 * BATCH + 1)


async def test_without_the_lease_nothing_is_purged(database: Database, owner: Owner) -> None:
    await Purger(database, lambda: NOW, "w1").round()
    await add(database, fire(owner, OLD, state=TriggerState.COMPLETED, finished_at=OLD))
    await Purger(database, lambda: NOW, "w2").round()
    assert len(await ledger(database)) == 1


def test_a_full_batch_is_not_the_last() -> None:
    batches = [Purged(BATCH, 0, DAY), Purged(0, BATCH, DAY), Purged(BATCH - 1, 0, DAY)]
    assert [batch.is_last for batch in batches] == [False, False, True]


async def test_what_the_stages_of_a_trigger_waited_for_goes_with_it(database: Database, owner: Owner) -> None:
    row = fire(owner, OLD, state=TriggerState.COMPLETED, finished_at=OLD)
    await add(database, row)
    async with database.write() as session:
        session.add(
            WaitRow(
                id="wat_1", tenant_id=owner.tenant.id, trigger_id=row.id, stage_id="a", kind="approval",
                opened_at=OLD, until=OLD, closed_at=OLD,
            )
        )  # fmt: skip
    await purged(database, owner)
    async with database.read() as session:
        assert (await session.execute(select(WaitRow))).all() == []


async def test_a_text_that_was_only_tested_goes_with_its_trigger(database: Database, owner: Owner) -> None:
    async with database.write() as session:
        draft = await Actions(session, owner.tenant).draft("check", "version: 1", {}, OLD)
    ended = {"state": TriggerState.COMPLETED, "finished_at": OLD, "schedule_id": None}
    real = fire(owner, OLD, **ended, workflow_id="one")
    test = fire(owner, OLD, **ended, workflow_id="two", action_id=draft.id, is_test=True, test={})
    await add(database, real, test)
    assert await purged(database, owner) == (2, 0)
    async with database.read() as session:
        actions = (await session.execute(select(ActionRow))).scalars().all()
        versions = (await session.execute(select(ActionVersion))).scalars().all()
    assert [one.id for one in actions] == [owner.action.id]
    assert [one.action_id for one in versions] == [owner.action.id]
