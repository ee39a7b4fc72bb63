"""Claims that more than their own row decides."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from cronny.store.claims import Claim, Execution, Verdict, VerdictKind, claim, settled
from cronny.store.database import Database
from cronny.store.guarded import claim_guarded
from cronny.store.releasing import first_waiting
from cronny.store.tables import IS_OPEN, StageRow, StageState, TriggerRow, TriggerState
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, executing, fire, ledger, stage_records

Seen = tuple[str, str]


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


def guarded(owner: Owner, second: int, overlap: str = "skip", **changes: Any) -> TriggerRow:
    fields = {"is_guarded": True, "overlap": overlap, "workflow_id": f"w{second}", **changes}
    return fire(owner, NOW + second * SECOND, id=f"trg_{second}", **fields)


def wish_of(row: TriggerRow, **changes: Any) -> Claim:
    return replace(Claim(row.id, row.generation, f"run of {row.id}", "first"), **changes)


async def claimed(database: Database, *rows: TriggerRow, at: float = 100) -> list[Verdict]:
    async with database.write() as session:
        return await claim_guarded(session, [wish_of(row) for row in rows], NOW + at * SECOND)


async def seen(database: Database) -> list[Seen]:
    return [(row.state.value, row.reason) for row in await ledger(database)]


async def test_a_guarded_row_is_left_to_the_guarded_claim(database: Database, owner: Owner) -> None:
    row = guarded(owner, 0)
    await add(database, row)
    async with database.write() as session:
        assert await claim(session, [wish_of(row)], NOW) == [Verdict(VerdictKind.GUARDED, "scheduled", "")]
    assert await seen(database) == [("scheduled", "")]


async def test_a_trigger_that_is_alone_executes(database: Database, owner: Owner) -> None:
    row = guarded(owner, 0)
    await add(database, row)
    assert await claimed(database, row, at=1) == [Verdict(VerdictKind.RUN, "executing", "")]
    (found,) = await ledger(database)
    assert (found.state, found.run_id, found.started_at) == (
        TriggerState.EXECUTING, "run of trg_0", NOW + SECOND,
    )  # fmt: skip
    assert [record.stage_id for record in await stage_records(database)] == ["first"]


@pytest.mark.parametrize("overlap", ["skip", "queue_one", "queue_all", "cancel_running", "kill_running"])
async def test_an_attempt_of_the_run_passes_again(database: Database, owner: Owner, overlap: str) -> None:
    row = guarded(owner, 0, overlap)
    await add(database, row)
    await claimed(database, row)
    assert await claimed(database, row, row) == [Verdict(VerdictKind.RUN, "executing", "")] * 2


@pytest.mark.parametrize(
    ("overlap", "kind", "after"),
    [
        ("allow", "run", [("executing", ""), ("executing", "")]),
        ("skip", "skip", [("executing", ""), ("skipped", "overlap")]),
        ("queue_one", "queue", [("executing", ""), ("scheduled", "queued")]),
        ("queue_all", "queue", [("executing", ""), ("scheduled", "queued")]),
        ("cancel_running", "queue", [("executing", "overlap_cancelled"), ("scheduled", "queued")]),
        ("kill_running", "run", [("cancelled", "overlap_killed"), ("executing", "")]),
    ],
)
async def test_while_another_executes_the_policy_decides(
    database: Database, owner: Owner, overlap: str, kind: str, after: list[Seen]
) -> None:
    row = guarded(owner, 1, overlap)
    await add(database, executing(owner, NOW), row)
    (verdict,) = await claimed(database, row)
    assert (verdict.kind, await seen(database)) == (kind, after)


async def test_what_is_to_end_is_named(database: Database, owner: Owner) -> None:
    cancelling, killing = guarded(owner, 1, "cancel_running"), guarded(owner, 2, "kill_running")
    await add(database, executing(owner, NOW, "run0", workflow_id="w0"), cancelling, killing)
    (cancel,), (kill,) = await claimed(database, cancelling), await claimed(database, killing)
    assert (cancel.cancel, kill.kill) == ((Execution("w0", "run0"),),) * 2


async def test_the_stages_of_what_is_killed_have_ended(database: Database, owner: Owner) -> None:
    running, row = executing(owner, NOW), guarded(owner, 1, "kill_running")
    stage = StageRow(trigger_id=running.id, stage_id="a", state=StageState.STARTED, started_at=NOW)
    await add(database, running, row, stage)
    await claimed(database, row)
    (record,) = [one for one in await stage_records(database) if one.stage_id == "a"]
    assert (record.state, record.finished_at) == (StageState.FAILED, NOW + 100 * SECOND)


async def test_of_a_herd_the_one_planned_first_executes_and_one_waits(
    database: Database, owner: Owner
) -> None:
    rows = [guarded(owner, second, "queue_one") for second in range(4)]
    await add(database, *rows)
    verdicts = await claimed(database, *reversed(rows))
    assert [verdict.kind.value for verdict in verdicts] == ["skip", "skip", "queue", "run"]


async def test_those_that_wait_go_in_order(database: Database, owner: Owner) -> None:
    rows = [guarded(owner, second, "queue_all") for second in range(3)]
    await add(database, *rows)
    await claimed(database, *rows)
    async with database.write() as session:
        await session.execute(text("update trigger set state = 'completed' where id = 'trg_0'"))
    assert [verdict.kind.value for verdict in await claimed(database, rows[2])] == ["queue"]
    assert [verdict.kind.value for verdict in await claimed(database, rows[1])] == ["run"]
    assert await seen(database) == [("completed", ""), ("executing", ""), ("scheduled", "queued")]


async def test_the_latest_that_makes_others_end_takes_the_place_of_those_that_wait(
    database: Database, owner: Owner
) -> None:
    first, second = guarded(owner, 1, "cancel_running"), guarded(owner, 2, "cancel_running")
    await add(database, executing(owner, NOW), first, second)
    await claimed(database, first)
    await claimed(database, second)
    waiting = [("skipped", "overlap"), ("scheduled", "queued")]
    assert await seen(database) == [("executing", "overlap_cancelled"), *waiting]


async def test_the_triggers_of_other_schedules_do_not_count(database: Database, owner: Owner) -> None:
    row = guarded(owner, 1)
    await add(database, executing(owner, NOW, schedule_id="sch_other"), row)
    assert [verdict.kind.value for verdict in await claimed(database, row)] == ["run"]


@pytest.mark.parametrize(("at", "after"), [(31, ("missed", "deadline")), (30, ("executing", ""))])
async def test_a_start_after_the_deadline_is_missed(
    database: Database, owner: Owner, at: int, after: Seen
) -> None:
    row = guarded(owner, 0, "allow", start_by=NOW + 30 * SECOND)
    await add(database, row)
    await claimed(database, row, at=at)
    assert await seen(database) == [after]


async def test_a_trigger_that_completes_on_start_is_completed_and_stands_in_nobodys_way(
    database: Database, owner: Owner
) -> None:
    first, second = (guarded(owner, second, complete_on="start") for second in range(2))
    await add(database, first, second)
    verdicts = await claimed(database, first, second)
    assert [verdict.kind.value for verdict in verdicts] == ["run", "run"]
    assert await seen(database) == [("completed", "started")] * 2
    assert [verdict.kind.value for verdict in await claimed(database, first)] == ["run"]


async def test_a_claim_before_the_planned_instant_is_early(database: Database, owner: Owner) -> None:
    row = guarded(owner, 0, planned=NOW + 5 * SECOND)
    await add(database, row)
    early = Verdict(VerdictKind.EARLY, "scheduled", "", planned=NOW + 5 * SECOND)
    assert await claimed(database, row, at=4.9) == [early]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"generation": 7}, settled("scheduled", "")),
        ({"trigger_id": "trg_gone"}, settled("", "unknown_trigger")),
    ],
)
async def test_a_claim_that_fits_no_row_finds_nothing(
    database: Database, owner: Owner, changes: dict[str, Any], verdict: Verdict
) -> None:
    row = guarded(owner, 0)
    await add(database, row)
    async with database.write() as session:
        assert await claim_guarded(session, [wish_of(row, **changes)], NOW) == [verdict]


async def test_what_is_settled_stays_so(database: Database, owner: Owner) -> None:
    row = guarded(owner, 0, state=TriggerState.SKIPPED, reason="paused")
    await add(database, row)
    assert await claimed(database, row) == [settled("skipped", "paused")]


async def test_concurrent_claims_let_one_execute(database: Database, owner: Owner) -> None:
    rows = [guarded(owner, second, "queue_all") for second in range(20)]
    await add(database, *rows)
    await asyncio.gather(*[claimed(database, row) for row in rows])
    states = [state for state, _ in await seen(database)]
    assert sorted(states) == ["executing"] + ["scheduled"] * 19


async def test_the_first_that_waits_is_told_when_nothing_executes(database: Database, owner: Owner) -> None:
    waiting = [guarded(owner, second, reason="queued") for second in (2, 1)]
    await add(database, *waiting)
    async with database.read() as session:
        assert await first_waiting(session, [owner.schedule.id]) == {owner.schedule.id: "w1"}


async def test_nobody_is_told_while_another_executes(database: Database, owner: Owner) -> None:
    await add(database, executing(owner, NOW), guarded(owner, 1, reason="queued"))
    async with database.read() as session:
        assert await first_waiting(session, [owner.schedule.id]) == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_open_rows_are_found_through_their_index(database: Database) -> None:
    """Else each claim would read the whole history of its schedule."""
    query = f"explain query plan select id from trigger where schedule_id in ('s') and ({IS_OPEN})"
    async with database.read() as session:
        (step,) = (await session.execute(text(query))).all()
    assert "ix_trigger_open" in step.detail
