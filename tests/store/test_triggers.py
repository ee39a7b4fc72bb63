from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event

from cronny.errors import NotFound
from cronny.store.database import Database
from cronny.store.filtering import Filter
from cronny.store.tables import TriggerState
from cronny.store.tenant_store import TenantStore
from cronny.store.triggers import Entry, Triggers
from tests.store.samples import MINUTE, NOW, SECOND, Owner, add, add_owner, executing, fire, wish


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


async def page(
    database: Database,
    owner: Owner,
    wanted: Filter | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[Entry]:
    async with database.read() as session:
        return list(await Triggers(session, owner.tenant).page(wanted or Filter(), before, limit))


async def test_pages_have_neither_duplicates_nor_gaps(database: Database, owner: Owner) -> None:
    rows = [fire(owner, NOW + number // 4 * SECOND, schedule_id=None) for number in range(23)]
    await add(database, *rows)
    seen, before = [], None
    while entries := await page(database, owner, before=before, limit=5):
        seen += [entry.trigger.id for entry in entries]
        before = (entries[-1].trigger.due, entries[-1].trigger.id)
    latest_first = sorted(rows, key=lambda row: (row.due, row.id), reverse=True)
    assert seen == [row.id for row in latest_first]


@pytest.mark.parametrize(
    ("wanted", "minutes"),
    [
        (Filter(), [3, 2, 1, 0]),
        (Filter(schedule="often"), [3, 1, 0]),
        (Filter(schedule="unknown"), []),
        (Filter(action="check"), [3, 2, 1, 0]),
        (Filter(action="unknown"), []),
        (Filter(states=(TriggerState.EXECUTING,)), [1]),
        (Filter(states=(TriggerState.EXECUTING, TriggerState.MISSED)), [3, 1]),
        (Filter("often", "check", (TriggerState.SCHEDULED,)), [0]),
        (Filter(states=(TriggerState.MISSED,)), [3]),
        (Filter("often", states=(TriggerState.MISSED, TriggerState.FAILED)), [3]),
        (Filter("often", states=(TriggerState.EXECUTING,)), [1]),
        (Filter(action="check", states=(TriggerState.MISSED,)), [3]),
        (Filter(reason="catchup"), [3]),
        (Filter("often", reason="catchup"), [3]),
        (Filter(reason="", action="check"), [2, 1, 0]),
        (Filter(is_by_hand=True), [2]),
        (Filter(is_by_hand=False), [3, 1, 0]),
        (Filter(since=NOW + MINUTE, until=NOW + 3 * MINUTE), [2, 1]),
    ],
    ids=str,
)
async def test_a_page_shows_what_the_filter_wants(
    database: Database, owner: Owner, wanted: Filter, minutes: list[int]
) -> None:
    await add(
        database,
        fire(owner, NOW),
        executing(owner, NOW + MINUTE),
        fire(owner, NOW + 2 * MINUTE, schedule_id=None, generation=0),
        fire(owner, NOW + 3 * MINUTE, state=TriggerState.MISSED, reason="catchup"),
    )
    found = [entry.trigger.due for entry in await page(database, owner, wanted)]
    assert found == [NOW + minute * MINUTE for minute in minutes]


async def test_the_triggers_of_a_deleted_schedule_stay_to_be_read(database: Database, owner: Owner) -> None:
    await add(database, executing(owner))
    async with database.write() as session:
        await TenantStore(session, owner.tenant, NOW).schedules.delete("often", NOW)
    assert [entry.schedule for entry in await page(database, owner, Filter(schedule="often"))] == ["often"]


async def test_a_trigger_by_hand_is_due_now_and_belongs_to_no_rule(database: Database, owner: Owner) -> None:
    async with database.write() as session:
        entry = await Triggers(session, owner.tenant).add_manual(owner.action, owner.schedule, {"a": 1}, NOW)
    async with database.read() as session:
        found = await Triggers(session, owner.tenant).get(entry.trigger.id)
    row = found.trigger
    assert (found.schedule, row.due, row.state, row.reason, row.number, row.generation, row.inputs) == (
        "often", NOW, TriggerState.SCHEDULED, "manual", 0, 0, {"a": 1},
    )  # fmt: skip
    assert row.workflow_id == f"trigger/acme/check/manual/{entry.trigger.id}"


async def test_a_page_of_another_tenant_is_empty(database: Database, owner: Owner) -> None:
    other = await add_owner(database, "other")
    await add(database, executing(owner))
    assert await page(database, other) == []
    assert await page(database, other, Filter(schedule="often", action="check")) == []


async def test_nothing_of_another_tenant_is_found(database: Database, owner: Owner) -> None:
    row = executing(owner)
    await add(database, row)
    other = await add_owner(database, "other")
    async with database.write() as session:
        mine = TenantStore(session, owner.tenant, NOW)
        await mine.schedules.save(wish(owner.action, "mine", is_embedded=True), NOW)
        connection = await mine.connections.reserve("mine", "http", NOW)
        await mine.connections.save(connection, "http", {}, "sealed", NOW)
        await mine.actions.save("mine", "", {}, NOW)
        theirs = TenantStore(session, other.tenant, NOW)
        for search in (
            theirs.triggers.get(row.id), theirs.schedules.get("mine"), theirs.actions.get("mine"),
            theirs.connections.get("mine"), theirs.schedules.pause("mine", "", NOW),
            theirs.schedules.resume("mine", NOW), theirs.schedules.delete("mine", NOW),
            theirs.actions.of(owner.schedule), theirs.actions.version(owner.action),
            theirs.triggers.stages(Entry(row, "check", None)),
            theirs.triggers.version(Entry(row, "check", None)),
            theirs.triggers.add_manual(owner.action, None, {}, NOW),
            theirs.triggers.add_manual(other.action, owner.schedule, {}, NOW),
            theirs.schedules.save(wish(owner.action), NOW),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                await search
        assert [schedule.name for schedule, _ in await theirs.schedules.all()] == ["often"]
        assert await theirs.schedules.of_action(owner.action.id) == []
        assert [action.name for action in await theirs.actions.all()] == ["check"]
        assert [version.action_id for version in await theirs.actions.newest()] == [other.action.id]
        assert (await theirs.connections.all(), await theirs.connections.kinds()) == ([], {})
        assert await theirs.connections.hold(["mine"]) == {}


INDEXES = [
    (Filter(), "ix_trigger_tenant_due"),
    (Filter(schedule="often"), "ix_trigger_fire"),
    (Filter(action="check"), "ix_trigger_action_due"),
    (Filter(states=(TriggerState.EXECUTING,)), "ix_trigger_state_due"),
    (Filter(states=(TriggerState.FAILED,)), "ix_trigger_rare"),
    (Filter("often", states=(TriggerState.FAILED,)), "ix_trigger_schedule_rare"),
    (Filter(reason="paused"), "ix_trigger_reason"),
    (Filter("often", reason="paused"), "ix_trigger_reason"),
    (Filter(is_by_hand=True), "ix_trigger_by_hand"),
]


async def plan_of(database: Database, owner: Owner, wanted: Filter) -> str:
    """How SQLite finds a page, a line for each table."""
    seen: list[tuple[str, Any]] = []
    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *call: seen.append((call[2], call[3])))
    await page(database, owner, wanted)
    statement, parameters = next(one for one in seen if one[0].startswith("SELECT"))
    async with database.engine.connect() as connection:
        steps = await connection.exec_driver_sql(f"explain query plan {statement}", parameters)
        return "\n".join(step.detail for step in steps)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("wanted", "index"), INDEXES, ids=str)
async def test_a_list_is_found_through_the_narrowest_index(
    database: Database, owner: Owner, wanted: Filter, index: str
) -> None:
    assert f"USING INDEX {index} " in await plan_of(database, owner, wanted)
