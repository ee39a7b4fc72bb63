import json

import pytest
from pydantic import JsonValue

from cronny.store.attempts import attempts_of, find_attempt
from cronny.store.claims import start_stages
from cronny.store.database import Database
from cronny.store.item_tables import ItemRow, ItemState
from cronny.store.items import (
    ItemKey,
    add_items,
    begin_items,
    item_counts,
    keep_same_items,
    page_of_items,
    results_of,
)
from cronny.store.records import StageEnd, end_stages, fail_open
from cronny.store.tables import StageState, TriggerRow
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, executing, stage_records

LATER = NOW + SECOND
ODD: list[JsonValue] = [{"a": "\ud800"}, None, 7, [1]]  # what a server's JSON may hold


@pytest.fixture
async def row(database: Database) -> TriggerRow:
    owner: Owner = await add_owner(database)
    row = executing(owner)
    await add(database, row)
    async with database.write() as session:
        await start_stages(session, [(row.id, "each")], NOW)
        await add_items(session, row.id, "each", ODD[:2], 0)
        await add_items(session, row.id, "each", ODD[2:], 2)
    return row


def end_of(row: TriggerRow, item: int, state: str = "completed", **changes: object) -> StageEnd:
    values: dict[str, object] = {
        "attempt": 1, "finished_at": LATER, "input": {"x": 1}, "output": item, "error": None, "log": "",
        **changes,
    }  # fmt: skip
    return StageEnd(row.id, "each", StageState(state), fired=(), item=item, **values)  # type: ignore[arg-type]  # named as StageEnd names them


async def begin(database: Database, row: TriggerRow, *items: int) -> list[ItemRow | None]:
    async with database.write() as session:
        return await begin_items(session, [ItemKey(row.id, "each", item) for item in items], NOW)


async def end(database: Database, *ends: StageEnd) -> None:
    async with database.write() as session:
        await end_stages(session, ends)


async def states(database: Database, row: TriggerRow) -> list[str]:
    async with database.read() as session:
        return [result.state.value for result in await results_of(session, row.id, "each")]


async def test_items_wait_for_their_turn_with_their_values(database: Database, row: TriggerRow) -> None:
    async with database.read() as session:
        rows = await page_of_items(session, row.id, "each", (), -1, 10)
    assert [(one.item, one.state, one.value, one.attempt) for one in rows] == [
        (number, ItemState.WAITING, value, 0) for number, value in enumerate(ODD)
    ]


async def test_items_that_are_added_again_stay_as_they_are(database: Database, row: TriggerRow) -> None:
    await begin(database, row, 0)
    async with database.write() as session:
        await add_items(session, row.id, "each", ["other"] * 4, 0)
    assert await states(database, row) == ["started", "waiting", "waiting", "waiting"]


async def test_an_item_begins_once(database: Database, row: TriggerRow) -> None:
    await begin(database, row, 0)
    async with database.write() as session:
        again = await begin_items(session, [ItemKey(row.id, "each", 0), ItemKey(row.id, "each", 9)], LATER)
    assert again[0] is not None
    assert (again[0].attempt, again[0].started_at, again[0].value, again[1]) == (1, NOW, ODD[0], None)


async def test_the_first_end_of_an_item_is_final(database: Database, row: TriggerRow) -> None:
    await begin(database, row, 0, 1)
    await end(database, end_of(row, 0), end_of(row, 1, "failed", error={"code": "timeout"}))
    await end(database, end_of(row, 0, "failed"))
    async with database.read() as session:
        found = await results_of(session, row.id, "each")
    assert [(one.state.value, one.output) for one in found[:2]] == [("completed", 0), ("failed", 1)]
    assert [one.finished_at for one in await stage_records(database)] == [None]


async def test_items_are_counted_and_paged_by_their_state(database: Database, row: TriggerRow) -> None:
    await begin(database, row, 0, 1, 2)
    await end(database, end_of(row, 0), end_of(row, 2))
    async with database.read() as session:
        counts = await item_counts(session, row.id)
        page = await page_of_items(session, row.id, "each", [ItemState.COMPLETED], 0, 10)
    assert counts == {"each": {ItemState.COMPLETED: 2, ItemState.STARTED: 1, ItemState.WAITING: 1}}
    assert [one.item for one in page] == [2]


async def test_what_is_under_way_fails_with_its_trigger(database: Database, row: TriggerRow) -> None:
    await begin(database, row, 0, 1)
    await end(database, end_of(row, 0))
    async with database.write() as session:
        await fail_open(session, [row.id], {"code": "cancelled"}, LATER)
    assert await states(database, row) == ["completed", "failed", "waiting", "waiting"]
    assert [one.state for one in await stage_records(database)] == [StageState.FAILED]


@pytest.mark.parametrize("item", [None, 0])
async def test_a_failed_attempt_is_kept_beside_its_record(
    database: Database, row: TriggerRow, item: int | None
) -> None:
    await begin(database, row, 0)
    error: JsonValue = {"code": "timeout"}
    failed = StageEnd(
        row.id, "each", StageState.STARTED, 2, None, None, None, error, (), "a\0line", item, LATER
    )  # fmt: skip
    await end(database, failed)
    await end(database, failed)
    async with database.read() as session:
        found = await find_attempt(session, row.id, "each", 1)
        shown = await attempts_of(session, row.id)
    assert (found is not None, list(shown)) == (item is None, ["each"] if item is None else [])
    if found is not None:
        assert (found.error, found.failed_at, json.dumps(found.log)) == (error, LATER, '"a\\ufffdline"')


async def test_a_list_that_has_changed_keeps_the_items_that_are_the_same(database: Database) -> None:
    async with database.write() as session:
        await add_items(session, "trg_1", "a", [1, {"x": 2}, True, 4], 0)
    async with database.write() as session:
        await keep_same_items(session, "trg_1", "a", [1, {"x": 2}, 1])
    async with database.read() as session:
        rows = await page_of_items(session, "trg_1", "a", (), -1, 10)
    assert [(row.item, row.value) for row in rows] == [(0, 1), (1, {"x": 2})]
