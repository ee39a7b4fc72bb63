from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from cronny.purger import Purger
from cronny.store.database import Database
from cronny.store.item_tables import ItemRow, ItemState
from cronny.store.live import LogLine, Piece, Unit, live_of_triggers, purge_live, write_live
from cronny.store.purge import purge_batch
from cronny.store.records import StageEnd, end_stages, fail_open
from cronny.store.tables import StageRow, StageState, TriggerState
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, executing, fire, stage_records

WORK = Unit("trg_1", "work")
ITEM = Unit("trg_1", "work", 3)


@pytest.fixture
async def owner(database: Database) -> Owner:
    """A tenant whose trigger executes one stage."""
    owner = await add_owner(database)
    stage = StageRow(trigger_id="trg_1", stage_id="work", state=StageState.STARTED, started_at=NOW)
    await add(database, executing(owner, id="trg_1"), stage)
    return owner


async def write(database: Database, unit: Unit, *texts: str, first: int = 0, began: datetime = NOW) -> None:
    lines = [LogLine(text, NOW, "stdout") for text in texts]
    async with database.write() as session:
        await write_live(session, [Piece(unit, began, 1, first, lines)], NOW)


async def texts(database: Database) -> dict[Unit, list[str]]:
    """Every line that is readable, by its unit."""
    async with database.read() as session:
        found = await live_of_triggers(session, ["trg_1", "trg_2"])
    return {unit: [line.text for line in written.lines] for unit, written in found.items()}


def end(**changes: Any) -> StageEnd:
    values: dict[str, Any] = {
        "trigger_id": "trg_1", "stage_id": "work", "state": StageState.COMPLETED, "attempt": 1,
        "finished_at": NOW, "input": None, "output": None, "error": None, "fired": (), "log": "a\nb",
    }  # fmt: skip
    return StageEnd(**{**values, "is_live": True, **changes})


async def test_lines_are_read_as_they_were_written(database: Database) -> None:
    lines = [LogLine("up", NOW, "stderr"), LogLine("", None, None)]
    async with database.write() as session:
        await write_live(session, [Piece(ITEM, NOW, 2, 0, lines)], NOW)
    async with database.read() as session:
        found = (await live_of_triggers(session, ["trg_1"]))[ITEM]
    assert (found.attempt, found.lines) == (2, lines)


async def test_the_lines_of_pieces_are_in_their_order(database: Database) -> None:
    await write(database, WORK, "c", first=2)
    await write(database, WORK, "a", "b")
    assert await texts(database) == {WORK: ["a", "b", "c"]}


async def test_an_execution_replaces_the_one_before_it(database: Database) -> None:
    await write(database, WORK, "a", "b")
    await write(database, WORK, "x", began=NOW + SECOND)
    await write(database, WORK, "c", first=2)  # whoever was given up does not know it yet
    assert await texts(database) == {WORK: ["x"]}


async def test_a_record_takes_the_place_of_live_lines(database: Database, owner: Owner) -> None:
    await write(database, WORK, "a")
    await write(database, ITEM, "b")
    async with database.write() as session:
        await end_stages(session, [end()])
    assert await texts(database) == {ITEM: ["b"]}


async def test_the_end_of_a_stage_without_live_lines_costs_no_statement_more(
    database: Database, owner: Owner
) -> None:
    statements: list[str] = []
    event.listen(
        database.engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: statements.append(statement),
    )
    async with database.write() as session:
        await end_stages(session, [end(is_live=False)])
    assert [text for text in statements if "live_log" in text] == []


async def test_a_failed_attempt_takes_its_lines_along(database: Database, owner: Owner) -> None:
    await write(database, WORK, "a")
    async with database.write() as session:
        await end_stages(session, [end(state=StageState.STARTED, attempt=2, finished_at=None, failed_at=NOW)])
    assert await texts(database) == {}


async def test_what_is_ended_from_outside_keeps_its_lines(database: Database, owner: Owner) -> None:
    await write(database, WORK, "a", "b")
    async with database.write() as session:
        await fail_open(session, ["trg_1"], {"code": "cancelled"}, NOW)
    [record] = await stage_records(database)
    assert (record.log, await texts(database)) == ("a\nb", {})


async def test_items_that_are_ended_from_outside_keep_their_lines(database: Database, owner: Owner) -> None:
    item = ItemRow(trigger_id="trg_1", stage_id="work", item=3, state=ItemState.STARTED, started_at=NOW)
    async with database.write() as session:
        session.add(item)
    await write(database, ITEM, "a")
    async with database.write() as session:
        await fail_open(session, ["trg_1"], {"code": "cancelled"}, NOW)
    async with database.read() as session:
        found = await session.get(ItemRow, ("trg_1", "work", 3))
    assert (found and found.log, await texts(database)) == ("a", {})


@pytest.mark.parametrize(
    ("finished", "age", "is_left"),
    [(None, timedelta(hours=1), True), (NOW, timedelta(hours=1), False), (NOW, SECOND, True)],
)
async def test_only_what_has_ended_a_while_ago_is_purged(
    database: Database, owner: Owner, finished: datetime | None, age: timedelta, is_left: bool
) -> None:
    await write(database, WORK, "a")
    async with database.write() as session:
        await end_stages(session, [end(finished_at=finished, is_live=False)])
        await purge_live(session, NOW + age)
    assert (WORK in await texts(database)) is is_left


async def test_lines_of_no_executing_trigger_are_purged(database: Database, owner: Owner) -> None:
    await add(database, fire(owner, NOW + SECOND, id="trg_2", state=TriggerState.FAILED))
    await write(database, Unit("trg_2", "work"), "a")
    async with database.write() as session:
        await purge_live(session, NOW + timedelta(hours=1))
    assert await texts(database) == {}


async def test_the_purger_forgets_what_a_dead_worker_left(database: Database, owner: Owner) -> None:
    await write(database, WORK, "a")
    async with database.write() as session:
        await end_stages(session, [end(is_live=False)])
    await Purger(database, lambda: NOW + timedelta(hours=1), "w1").round()
    assert await texts(database) == {}


async def test_live_lines_go_with_their_trigger(database: Database, owner: Owner) -> None:
    old = NOW - timedelta(days=91)
    await add(database, fire(owner, old, id="trg_2", state=TriggerState.FAILED, finished_at=old))
    await write(database, Unit("trg_2", "work"), "a")
    await purge_batch(database, owner.tenant, NOW)
    assert await texts(database) == {}
