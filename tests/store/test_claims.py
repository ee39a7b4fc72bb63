import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from cronny.store.claims import Claim, Verdict, VerdictKind, claim, settled
from cronny.store.database import Database
from cronny.store.schedules import Schedules
from cronny.store.tables import StageState, TriggerRow, TriggerState
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, fire, ledger, stage_records

RUN = Verdict(VerdictKind.RUN, "executing", "")


def wish_of(row: TriggerRow, **changes: object) -> Claim:
    wish = Claim(trigger_id=row.id, generation=row.generation, run_id="run", stage_id="first")
    return replace(wish, **changes)  # type: ignore[arg-type]  # named as Claim names them


async def claimed(database: Database, *wishes: Claim, late: float = 0) -> list[Verdict]:
    async with database.write() as session:
        return await claim(session, wishes, NOW + late * SECOND)


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


@pytest.fixture
async def row(database: Database, owner: Owner) -> TriggerRow:
    row = fire(owner)
    await add(database, row)
    return row


async def test_a_claim_moves_a_due_trigger_to_executing(database: Database, row: TriggerRow) -> None:
    assert await claimed(database, wish_of(row), late=0.25) == [RUN]
    (found,) = await ledger(database)
    assert (found.state, found.run_id, found.started_at) == (
        TriggerState.EXECUTING,
        "run",
        NOW + 0.25 * SECOND,
    )


async def test_a_claim_writes_its_stage_as_started(database: Database, row: TriggerRow) -> None:
    await claimed(database, wish_of(row), late=0.25)
    (record,) = await stage_records(database)
    assert (record.trigger_id, record.stage_id, record.state, record.attempt, record.started_at) == (
        row.id, "first", StageState.STARTED, 1, NOW + 0.25 * SECOND,
    )  # fmt: skip


@pytest.mark.parametrize(
    "state", [state for state in TriggerState if state not in {TriggerState.SCHEDULED}], ids=str
)
async def test_only_what_is_scheduled_is_claimed(
    database: Database, owner: Owner, state: TriggerState
) -> None:
    row = fire(owner, state=state, reason="why", run_id="another")
    await add(database, row)
    assert await claimed(database, wish_of(row)) == [settled(state, "why")]
    assert await stage_records(database) == []


async def test_a_claim_of_another_generation_finds_nothing(database: Database, row: TriggerRow) -> None:
    verdicts = await claimed(database, wish_of(row, generation=2))
    assert (verdicts, (await ledger(database))[0].run_id) == ([settled("scheduled", "")], "")


async def test_a_claim_before_the_due_is_refused(database: Database, row: TriggerRow) -> None:
    assert await claimed(database, wish_of(row), late=-0.000001) == [
        Verdict(VerdictKind.EARLY, "scheduled", "", planned=NOW)
    ]
    assert await stage_records(database) == []


async def test_a_retried_attempt_and_another_root_stage_of_the_run_pass(
    database: Database, row: TriggerRow
) -> None:
    await claimed(database, wish_of(row))
    again = await claimed(database, wish_of(row), wish_of(row, stage_id="second"), late=1)
    started = [(record.stage_id, record.started_at) for record in await stage_records(database)]
    assert again == [RUN, RUN]
    assert started == [("first", NOW), ("second", NOW + SECOND)]


async def test_a_retry_keeps_the_instant_of_the_start(database: Database, row: TriggerRow) -> None:
    await claimed(database, wish_of(row))
    await claimed(database, wish_of(row), late=3)
    assert (await ledger(database))[0].started_at == NOW


async def test_another_run_does_not_pass(database: Database, row: TriggerRow) -> None:
    await claimed(database, wish_of(row))
    assert await claimed(database, wish_of(row, run_id="other", stage_id="other")) == [
        settled("executing", "")
    ]
    assert [record.stage_id for record in await stage_records(database)] == ["first"]


async def test_of_two_runs_in_one_statement_one_passes(database: Database, row: TriggerRow) -> None:
    verdicts = await claimed(database, wish_of(row), wish_of(row, run_id="other"))
    assert sorted(verdict.may_run for verdict in verdicts) == [False, True]


async def test_a_trigger_that_is_not_in_the_ledger_is_not_executed(
    database: Database, row: TriggerRow
) -> None:
    assert await claimed(database, wish_of(row, trigger_id="trg_gone")) == [settled("", "unknown_trigger")]


async def test_a_claim_without_a_stage_writes_no_record(database: Database, row: TriggerRow) -> None:
    assert await claimed(database, wish_of(row, stage_id="")) == [RUN]
    assert await stage_records(database) == []


async def test_five_hundred_claims_are_answered_in_order(database: Database, owner: Owner) -> None:
    rows = [fire(owner, NOW - number * SECOND) for number in range(500)]
    await add(database, *rows)
    wishes = [wish_of(row, generation=1 + number % 2) for number, row in enumerate(rows)]
    verdicts = await claimed(database, *wishes)
    assert [verdict.may_run for verdict in verdicts] == [True, False] * 250


async def test_concurrent_claimers_never_both_win(database: Database, owner: Owner) -> None:
    rows = [fire(owner, NOW - number * SECOND) for number in range(200)]
    await add(database, *rows)
    batches = [
        [wish_of(row, run_id=f"run{number}") for row in (reversed(rows) if number % 2 else rows)]
        for number in range(8)
    ]
    answers = await asyncio.gather(*[claimed(database, *wishes) for wishes in batches])
    winners = [
        (wish.trigger_id, wish.run_id)
        for wishes, verdicts in zip(batches, answers, strict=True)
        for wish, verdict in zip(wishes, verdicts, strict=True)
        if verdict.may_run
    ]
    assert sorted(winners) == sorted((row.id, row.run_id) for row in await ledger(database))


async def test_a_pause_and_a_claim_never_both_win(database: Database, owner: Owner) -> None:
    rows = [fire(owner, NOW - number * SECOND) for number in range(200)]
    await add(database, *rows)

    async def pause() -> list[Verdict]:
        async with database.write() as session:
            await Schedules(session, owner.tenant).pause("often", "", NOW)
        return []

    claims = [claimed(database, *map(wish_of, rows[start : start + 20])) for start in range(0, 200, 20)]
    answers = await asyncio.gather(*claims[:5], pause(), *claims[5:])
    executing = sum(verdict.may_run for verdicts in answers for verdict in verdicts)
    states = Counter(row.state for row in await ledger(database))
    assert states == Counter({TriggerState.EXECUTING: executing, TriggerState.SKIPPED: 200 - executing})
    assert len(await stage_records(database)) == executing
