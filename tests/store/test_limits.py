"""Claims of triggers whose action, or tenant, may execute so many at once only."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlmodel import col

from cronny.firing import fire_of
from cronny.scheduling.places import OnLimit
from cronny.store.actions import Actions, Made
from cronny.store.claims import Claim, Execution, Place, Verdict, VerdictKind, claim
from cronny.store.database import Database
from cronny.store.ends import after_lost, end_guarded
from cronny.store.fires import Allocatable, row_of
from cronny.store.guarded import claim_guarded
from cronny.store.open_rows import MOST_TOLD
from cronny.store.records import TriggerEnd
from cronny.store.schedules import Schedules
from cronny.store.tables import IS_OPEN, Tenant, TriggerRow, TriggerState
from cronny.store.triggers import Triggers
from cronny.store.watch import StuckTrigger, settle_lost
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, executing, fire, ledger, wish

LATER = NOW + 100 * SECOND


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


def due_at(owner: Owner, second: int, **changes: Any) -> TriggerRow:
    return fire(
        owner, NOW + second * SECOND, **{"id": f"t{second:03}", "workflow_id": f"w{second}", **changes}
    )


def running(owner: Owner, second: int, key: str = "", **changes: Any) -> TriggerRow:
    fields = {"is_guarded": True, "concurrency_key": key, "concurrency_limit": 1, "workflow_id": f"w{second}"}
    return executing(owner, NOW + second * SECOND, id=f"t{second:03}", **{**fields, **changes})


def place(limit: int, key: str = "", on_limit: str = "queue") -> Place:
    return Place(limit, key, OnLimit(on_limit))


async def claimed(
    database: Database, *rows: TriggerRow, at: Place | None = None, now: float = 100
) -> list[Verdict]:
    wishes = [Claim(row.id, row.generation, f"run of {row.id}", "first", at) for row in rows]
    async with database.write() as session:
        return await claim_guarded(session, wishes, NOW + now * SECOND)


async def ended(database: Database, *rows: str) -> list[str]:
    """The workflows that are told when these end."""
    ends = [TriggerEnd(row, f"run of {row}", TriggerState.COMPLETED, "", None, None, LATER) for row in rows]
    async with database.write() as session:
        return [one for told in await end_guarded(session, ends, LATER) for one in told]


async def limit_tenant(database: Database, owner: Owner, limit: int | None) -> None:
    async with database.write() as session:
        change = update(Tenant).where(col(Tenant.id) == owner.tenant.id)
        await session.execute(change.values(limit_running_triggers=limit))


def kinds(verdicts: list[Verdict]) -> list[str]:
    return [verdict.kind.value for verdict in verdicts]


async def seen(database: Database) -> list[tuple[str, str]]:
    return [(row.state.value, row.reason) for row in await ledger(database)]


async def test_of_a_batch_the_ones_planned_first_have_the_places(database: Database, owner: Owner) -> None:
    rows = [due_at(owner, second) for second in range(4)]
    await add(database, *rows)
    assert kinds(await claimed(database, *reversed(rows), at=place(2))) == ["queue", "queue", "run", "run"]
    assert await seen(database) == [("executing", "")] * 2 + [("scheduled", "concurrency")] * 2


async def test_the_limit_holds_across_batches(database: Database, owner: Owner) -> None:
    rows = [due_at(owner, second) for second in range(3)]
    await add(database, *rows)
    assert [kinds(await claimed(database, row, at=place(2))) for row in rows] == [["run"], ["run"], ["queue"]]


async def test_triggers_of_other_schedules_and_by_hand_take_places(database: Database, owner: Owner) -> None:
    others = [running(owner, 0, schedule_id="sch_other"), running(owner, 1, schedule_id=None)]
    row = due_at(owner, 2)
    await add(database, *others, row)
    assert kinds(await claimed(database, row, at=place(2))) == ["queue"]


async def test_each_key_has_its_places(database: Database, owner: Owner) -> None:
    row = due_at(owner, 1)
    await add(database, running(owner, 0, "eu"), row)
    assert kinds(await claimed(database, row, at=place(1, "us"))) == ["run"]


async def test_who_waits_longer_goes_first(database: Database, owner: Owner) -> None:
    first, second = due_at(owner, 1, schedule_id=None), due_at(owner, 2, schedule_id=None)
    await add(database, running(owner, 0, run_id="run of t000"), first, second)
    await claimed(database, first, at=place(1))
    assert await ended(database, "t000") == ["w1"]
    assert kinds(await claimed(database, second, at=place(1))) == ["queue"]
    assert kinds(await claimed(database, first, at=place(1))) == ["run"]


async def test_as_many_are_told_as_there_are_places(database: Database, owner: Owner) -> None:
    rows = [due_at(owner, second, schedule_id=None) for second in range(8)]
    await add(database, *rows)
    await claimed(database, *rows, at=place(3))
    assert await ended(database, "t000", "t001") == ["w3", "w4"]


@pytest.mark.parametrize("by", ["action", "tenant"])
async def test_claimers_at_once_keep_the_limit_and_nobody_waits_forever(
    database: Database, owner: Owner, by: str
) -> None:
    rows = {f"w{second}": due_at(owner, second, schedule_id=None) for second in range(24)}
    await add(database, *rows.values())
    await limit_tenant(database, owner, 3 if by == "tenant" else None)
    at = place(3) if by == "action" else None
    told, most = list(rows), 0
    while told:
        await asyncio.gather(*[claimed(database, rows[one], at=at) for one in told])
        under_way = [row.id for row in await ledger(database) if row.state is TriggerState.EXECUTING]
        most = max(most, len(under_way))
        released = await asyncio.gather(*[ended(database, one) for one in under_way])
        told = sorted({one for names in released for one in names})
    assert (most, Counter(state for state, _ in await seen(database))) == (3, {"completed": 24})


async def test_who_finds_no_place_may_be_left_out(database: Database, owner: Owner) -> None:
    row = due_at(owner, 1)
    await add(database, running(owner, 0), row)
    assert kinds(await claimed(database, row, at=place(1, on_limit="skip"))) == ["skip"]
    assert await seen(database) == [("executing", ""), ("skipped", "concurrency_limit")]


async def test_the_oldest_may_be_asked_to_end(database: Database, owner: Owner) -> None:
    row = due_at(owner, 2)
    await add(database, running(owner, 0), running(owner, 1), row)
    (verdict,) = await claimed(database, row, at=place(2, on_limit="cancel_running"))
    assert (verdict.kind, verdict.cancel) == (VerdictKind.QUEUE, (Execution("w0", "run"),))
    waiting = ("scheduled", "concurrency")
    assert await seen(database) == [("executing", "concurrency_cancelled"), ("executing", ""), waiting]


async def test_of_a_herd_that_cancels_the_newest_remain(database: Database, owner: Owner) -> None:
    rows = [due_at(owner, second, schedule_id=None) for second in range(5)]
    await add(database, *rows)
    await claimed(database, *rows, at=place(1, on_limit="cancel_running"))
    left_out = [("skipped", "concurrency_limit")] * 3
    assert await seen(database) == [
        ("executing", "concurrency_cancelled"), *left_out, ("scheduled", "concurrency"),
    ]  # fmt: skip


async def test_overlap_and_concurrency_both_apply(database: Database, owner: Owner) -> None:
    skipping, waiting = due_at(owner, 2, overlap="skip", is_guarded=True), due_at(owner, 3, schedule_id=None)
    await add(database, running(owner, 0), skipping, waiting)
    verdicts = await claimed(database, skipping, waiting, at=place(2))
    assert [(one.kind.value, one.reason) for one in verdicts] == [("skip", "overlap"), ("run", "")]


async def test_what_waits_for_a_place_counts_for_the_overlap_of_its_schedule(
    database: Database, owner: Owner
) -> None:
    rows = [due_at(owner, second, overlap="skip", is_guarded=True) for second in (1, 2)]
    await add(database, running(owner, 0, schedule_id=None), *rows)
    verdicts = await claimed(database, *rows, at=place(1))
    assert [(one.kind.value, one.reason) for one in verdicts] == [
        ("queue", "concurrency"),
        ("skip", "overlap"),
    ]


async def test_nothing_is_killed_for_one_that_finds_no_place(database: Database, owner: Owner) -> None:
    async with database.write() as session:
        other, _ = await Schedules(session, owner.tenant).save(wish(owner.action, "other"), NOW)
    killing = due_at(owner, 2, overlap="kill_running", is_guarded=True)
    elsewhere = [running(owner, second, schedule_id=other.id) for second in (0, 1)]
    await add(database, *elsewhere, running(owner, 3, "eu"), killing)
    assert kinds(await claimed(database, killing, at=place(2))) == ["queue"]
    assert "cancelled" not in {state for state, _ in await seen(database)}


async def test_the_newest_version_says_the_limit(database: Database, owner: Owner) -> None:
    row = due_at(owner, 2)
    await add(database, running(owner, 0), running(owner, 1, action_version=2, concurrency_limit=3), row)
    assert kinds(await claimed(database, row, at=place(1))) == ["run"]


async def test_a_limit_of_the_tenant_says_so(database: Database, owner: Owner) -> None:
    await limit_tenant(database, owner, 1)
    rows = [due_at(owner, second) for second in range(2)]
    await add(database, *rows)
    wishes = [Claim(row.id, row.generation, "run", "first") for row in rows]
    async with database.write() as session:
        assert kinds(await claim(session, wishes, LATER)) == ["guarded", "guarded"]
    await claimed(database, *rows)
    assert await seen(database) == [("executing", ""), ("scheduled", "tenant_limit")]


async def test_without_its_limit_a_tenant_goes_on(database: Database, owner: Owner) -> None:
    await limit_tenant(database, owner, 1)
    rows = [due_at(owner, second) for second in range(3)]
    await add(database, *rows)
    await claimed(database, *rows)
    await limit_tenant(database, owner, None)
    assert kinds(await claimed(database, *rows[1:])) == ["run", "run"]


async def test_who_goes_before_its_turn_lets_the_next_one_go(database: Database, owner: Owner) -> None:
    late = due_at(owner, 1, schedule_id=None, start_by=NOW + 50 * SECOND)
    next_one = due_at(owner, 2, schedule_id=None)
    await add(database, running(owner, 0, run_id="run of t000"), late, next_one)
    await claimed(database, late, next_one, at=place(1), now=40)
    assert await ended(database, "t000") == ["w1"]
    (verdict,) = await claimed(database, late, at=place(1), now=60)
    assert (verdict.reason, verdict.release) == ("deadline", ("w2",))


@pytest.mark.parametrize(
    ("reason", "more"),
    [("manual", {}), ("webhook", {"webhook": "orders"}), ("action", {"parent_id": "trg_0"})],
)
async def test_who_asked_for_a_trigger_is_known_again_when_it_has_waited(
    database: Database, owner: Owner, reason: str, more: dict[str, Any]
) -> None:
    row = due_at(owner, 1, schedule_id=None, generation=0, reason=reason, **more)
    await add(database, running(owner, 0, run_id="run of t000"), row)
    await claimed(database, row, at=place(1))
    await ended(database, "t000")
    await claimed(database, row, at=place(1))
    assert (await seen(database))[1] == ("executing", reason)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_limited_rows_are_found_through_their_index(database: Database) -> None:
    query = f"explain query plan select id from trigger where tenant_id = 't' and is_guarded and ({IS_OPEN})"
    async with database.read() as session:
        (step,) = (await session.execute(text(query))).all()
    assert "ix_trigger_limited" in step.detail


async def test_a_trigger_has_the_priority_of_its_action(database: Database, owner: Owner) -> None:
    async with database.write() as session:
        action, _ = await Actions(session, owner.tenant).save("check", "other", {}, NOW, Made(priority=1))
        entry = await Triggers(session, owner.tenant).add_manual(action, None, {}, NOW)
        target = Allocatable(owner.schedule, action, owner.tenant)
        row = row_of(target, NOW, NOW, TriggerState.SCHEDULED)
    fires = [fire_of(one, "acme", "check", None, NOW) for one in (entry.trigger, row)]
    assert [one.priority for one in fires] == [1, 1]


async def test_a_tenant_whose_limit_was_raised_is_told_of_some_at_a_time(
    database: Database, owner: Owner
) -> None:
    rows = [due_at(owner, second, schedule_id=None) for second in range(MOST_TOLD + 10)]
    await add(database, *rows)
    await limit_tenant(database, owner, 1)
    await claimed(database, *rows)
    await limit_tenant(database, owner, 1000)
    assert await ended(database, "t000") == [f"w{second}" for second in range(1, MOST_TOLD + 1)]


@pytest.mark.parametrize("by", ["action", "tenant"])
async def test_a_lost_trigger_lets_the_next_one_go(database: Database, owner: Owner, by: str) -> None:
    await limit_tenant(database, owner, 1 if by == "tenant" else None)
    rows = [due_at(owner, second, schedule_id=None) for second in range(2)]
    await add(database, *rows)
    await claimed(database, *rows, at=place(1) if by == "action" else None)
    lost = StuckTrigger((await ledger(database))[0], "acme", "check", None)
    async with database.write() as session:
        assert await settle_lost(session, lost, LATER)
        assert await after_lost(session, lost.row, LATER) == ("w1",)


async def test_who_was_asked_for_by_a_stage_does_not_wait_for_its_tenant(
    database: Database, owner: Owner
) -> None:
    await limit_tenant(database, owner, 1)
    parent, child = due_at(owner, 0), due_at(owner, 1, schedule_id=None, parent_id="t000")
    await add(database, parent, child)
    assert kinds(await claimed(database, parent, child)) == ["run", "run"]
