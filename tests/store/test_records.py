import json
from dataclasses import replace

import pytest

from cronny.store.claims import start_stages
from cronny.store.database import Database
from cronny.store.records import StageEnd, TriggerEnd, add_skipped, end_stages, end_triggers, load_records
from cronny.store.tables import StageState, TriggerRow, TriggerState
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, executing, fire, ledger, stage_records

LATER = NOW + SECOND


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


@pytest.fixture
async def row(database: Database, owner: Owner) -> TriggerRow:
    row = executing(owner)
    await add(database, row)
    return row


def stage_end(row: TriggerRow, stage: str = "a", **changes: object) -> StageEnd:
    end = StageEnd(
        trigger_id=row.id, stage_id=stage, state=StageState.COMPLETED, attempt=2, finished_at=LATER,
        input={"b": 1, "a": 2}, output=[1, None], error=None, fired=(0, 2), log="done",
    )  # fmt: skip
    return replace(end, **changes)  # type: ignore[arg-type]  # named as StageEnd names them


def trigger_end(row: TriggerRow, **changes: object) -> TriggerEnd:
    end = TriggerEnd(
        trigger_id=row.id, run_id="run", state=TriggerState.COMPLETED, reason="", outputs={"n": 1},
        error=None, finished_at=LATER,
    )  # fmt: skip
    return replace(end, **changes)  # type: ignore[arg-type]  # named as TriggerEnd names them


async def start(database: Database, *pairs: tuple[str, str], late: int = 0) -> None:
    async with database.write() as session:
        await start_stages(session, pairs, NOW + late * SECOND)


async def settle(database: Database, *ends: TriggerEnd) -> None:
    async with database.write() as session:
        await end_triggers(session, ends, LATER)


async def end(database: Database, *ends: StageEnd) -> None:
    async with database.write() as session:
        await end_stages(session, ends)


async def test_the_end_of_a_stage_completes_its_record(database: Database, row: TriggerRow) -> None:
    await start(database, (row.id, "a"))
    await end(database, stage_end(row))
    (record,) = await stage_records(database)
    assert (record.state, record.attempt, record.started_at, record.finished_at, record.input) == (
        StageState.COMPLETED, 2, NOW, LATER, {"b": 1, "a": 2},
    )  # fmt: skip
    assert (record.output, record.error, record.fired, record.log) == ([1, None], None, [0, 2], "done")
    assert json.dumps(record.input) == '{"b": 1, "a": 2}'


async def test_two_hundred_stages_end_at_once(database: Database, row: TriggerRow) -> None:
    names = [f"s{number:03}" for number in range(200)]
    await start(database, *[(row.id, name) for name in names])
    await end(database, *[stage_end(row, name, output=name) for name in names])
    assert [record.output for record in await stage_records(database)] == names


async def test_a_failed_attempt_leaves_its_stage_started(database: Database, row: TriggerRow) -> None:
    await start(database, (row.id, "a"))
    await end(database, stage_end(row, state=StageState.STARTED, finished_at=None, error={"code": "dns"}))
    (record,) = await stage_records(database)
    assert (record.state, record.finished_at, record.error) == (StageState.STARTED, None, {"code": "dns"})


async def test_the_first_end_of_a_stage_is_final(database: Database, row: TriggerRow) -> None:
    await start(database, (row.id, "a"))
    await end(database, stage_end(row, output="first"))
    await end(database, stage_end(row, output="late"), stage_end(row, state=StageState.STARTED))
    assert [(record.state, record.output) for record in await stage_records(database)] == [
        (StageState.COMPLETED, "first")
    ]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("\0", "\0"),
        ("\ud800", "\ud800"),
        (float("inf"), "Infinity"),
        ([float("nan"), {"a": float("-inf")}], ["NaN", {"a": "-Infinity"}]),
        (2**70, 2**70),
    ],
)
async def test_every_value_can_be_recorded(
    database: Database, row: TriggerRow, value: object, kept: object
) -> None:
    await start(database, (row.id, "a"))
    await end(database, stage_end(row, output=value))
    assert [record.output for record in await stage_records(database)] == [kept]


async def test_a_log_may_hold_anything(database: Database, row: TriggerRow) -> None:
    await start(database, (row.id, "a"))
    await end(database, stage_end(row, log="a\0b\ud800c é"))
    assert [record.log for record in await stage_records(database)] == ["a\ufffdb?c é"]


async def test_a_trigger_is_settled_by_its_run(database: Database, row: TriggerRow) -> None:
    await settle(database, trigger_end(row))
    (found,) = await ledger(database)
    assert (found.state, found.outputs, found.error, found.finished_at) == (
        TriggerState.COMPLETED, {"n": 1}, None, LATER,
    )  # fmt: skip


async def test_another_run_settles_nothing_and_skips_nothing(database: Database, row: TriggerRow) -> None:
    await settle(database, trigger_end(row, run_id="other", skipped=("a",)))
    assert [found.state for found in await ledger(database)] == [TriggerState.EXECUTING]
    assert await stage_records(database) == []


async def test_a_run_that_never_claimed_leaves_the_trigger_to_others(
    database: Database, owner: Owner
) -> None:
    row = fire(owner)
    await add(database, row)
    await settle(database, trigger_end(row, state=TriggerState.CANCELLED, skipped=("a",)))
    assert [found.state for found in await ledger(database)] == [TriggerState.SCHEDULED]
    assert await stage_records(database) == []


async def test_a_trigger_is_settled_once(database: Database, row: TriggerRow) -> None:
    await settle(database, trigger_end(row))
    await settle(database, trigger_end(row, state=TriggerState.FAILED, reason="again"))
    assert [(found.state, found.reason) for found in await ledger(database)] == [(TriggerState.COMPLETED, "")]


async def test_stages_that_never_became_ready_are_recorded_as_skipped(
    database: Database, row: TriggerRow
) -> None:
    await start(database, (row.id, "a"))
    for _ in range(2):
        await settle(database, trigger_end(row, skipped=("a", "b")))
    found = [(record.stage_id, record.state, record.finished_at) for record in await stage_records(database)]
    assert found == [("a", StageState.STARTED, None), ("b", StageState.SKIPPED, LATER)]


async def test_a_skipped_stage_keeps_the_record_it_has(database: Database, row: TriggerRow) -> None:
    await start(database, (row.id, "a"))
    async with database.write() as session:
        await add_skipped(session, [(row.id, "a"), (row.id, "b"), (row.id, "b")], LATER)
    states = [(record.stage_id, record.state, record.attempt) for record in await stage_records(database)]
    assert states == [("a", StageState.STARTED, 1), ("b", StageState.SKIPPED, 0)]


async def test_records_come_in_the_order_they_started(database: Database, row: TriggerRow) -> None:
    await start(database, (row.id, "z"), late=0)
    await start(database, (row.id, "c"), (row.id, "b"), late=1)
    async with database.read() as session:
        found = await load_records(session, [row.id, "trg_unknown"])
    assert {key: list(records.stages) for key, records in found.items()} == {row.id: ["z", "b", "c"]}


async def test_stages_whose_trigger_was_purged_disturb_nobody(database: Database, owner: Owner) -> None:
    await start(database, ("trg_purged", "a"))
    async with database.read() as session:
        assert await load_records(session, ["trg_purged"]) == {}
