"""Fires that were missed, and are executed after all."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from cronny.scheduling import compile_schedule
from cronny.store.allocation import lock_schedule
from cronny.store.approval import Asking, approve
from cronny.store.database import Database
from cronny.store.tables import TriggerRow, TriggerState
from dsl.options import Catchup
from dsl.schedule import Schedule
from tests.store.samples import MINUTE, NOW, Owner, add, add_owner, fire, ledger

EVERY_MINUTE = Schedule(every="1m", start=NOW, catchup=Catchup("ask"), deadline="30s", overlap="queue_all")
HOUR = 60 * MINUTE
AGAIN = "trigger/first~1"


def at(minute: int) -> datetime:
    return NOW + minute * MINUTE


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


def missed(owner: Owner, first: int, last: int, **changes: Any) -> TriggerRow:
    """A range of fires that somebody may ask for."""
    values = {"state": TriggerState.MISSED, "reason": "awaiting_approval", "count": last - first + 1}
    until = at(last) if last > first else None
    workflow = "trigger/first"
    return fire(
        owner, at(first), **{**values, "until": until, "number": first, "inputs": {"a": 1},
        "workflow_id": workflow, **changes},
    )  # fmt: skip


async def approved(database: Database, owner: Owner, until: int = 60, **options: Any) -> list[TriggerRow]:
    schedule = EVERY_MINUTE.model_copy(update={"catchup": Catchup("ask", **options)})
    async with database.write() as session:
        target = await lock_schedule(session, owner.schedule.id)
        assert target is not None
        asking = Asking(target, schedule, compile_schedule(schedule, NOW))
        return await approve(session, asking, at(until), NOW + HOUR)


async def seen(database: Database) -> list[tuple[int, str, str, int, int]]:
    """Minute, state, reason, number and count."""
    return [
        (int((row.due - NOW) / MINUTE), row.state.value, row.reason, row.number, row.count)
        for row in await ledger(database)
    ]


async def test_a_range_becomes_a_row_for_each_fire(database: Database, owner: Owner) -> None:
    await add(database, missed(owner, 1, 3))
    rows = await approved(database, owner)
    assert [row.due for row in rows] == [at(1), at(2), at(3)]
    assert await seen(database) == [(n, "scheduled", "approved", n, 1) for n in (1, 2, 3)]


async def test_approved_fires_have_inputs_terms_and_workflows_of_their_own(
    database: Database, owner: Owner
) -> None:
    await add(database, missed(owner, 1, 2))
    await approved(database, owner)
    workflows = [(row.workflow_id, row.inputs, row.overlap, row.start_by) for row in await ledger(database)]
    second = "trigger/acme/often/2026-11-24T09:02:00Z"
    assert workflows == [(name, {"a": 1}, "queue_all", None) for name in (AGAIN, second)]


async def test_of_more_than_the_cap_the_latest_are_executed(database: Database, owner: Owner) -> None:
    await add(database, missed(owner, 1, 4), missed(owner, 5, 5))
    await approved(database, owner, cap=3)
    assert await seen(database) == [
        (1, "missed", "catchup", 1, 2),
        (3, "scheduled", "approved", 3, 1),
        (4, "scheduled", "approved", 4, 1),
        (5, "scheduled", "approved", 5, 1),
    ]
    assert (await ledger(database))[0].until == at(2)


async def test_a_single_fire_that_is_left_is_no_range(database: Database, owner: Owner) -> None:
    await add(database, missed(owner, 1, 2))
    await approved(database, owner, cap=1)
    (left, _) = await ledger(database)
    assert (left.reason, left.count, left.until) == ("catchup", 1, None)


async def test_what_is_older_than_the_window_stays_missed(database: Database, owner: Owner) -> None:
    await add(database, missed(owner, 1, 4))
    await approved(database, owner, window=timedelta(minutes=58))
    assert [(minute, reason) for minute, _, reason, *_ in await seen(database)] == [
        (1, "catchup"), (3, "approved"), (4, "approved"),
    ]  # fmt: skip


async def test_only_what_ends_by_then_is_approved(database: Database, owner: Owner) -> None:
    await add(database, missed(owner, 1, 1), missed(owner, 2, 4))
    await approved(database, owner, until=3)
    assert [reason for _, _, reason, *_ in await seen(database)] == ["approved", "awaiting_approval"]


@pytest.mark.parametrize("reason", ["catchup", "deadline"])
async def test_what_was_missed_for_another_reason_stays_so(
    database: Database, owner: Owner, reason: str
) -> None:
    await add(database, missed(owner, 1, 3, reason=reason))
    assert await approved(database, owner) == []
    assert [found for _, _, found, *_ in await seen(database)] == [reason]


async def test_what_was_approved_is_not_approved_again(database: Database, owner: Owner) -> None:
    await add(database, missed(owner, 1, 3))
    await approved(database, owner)
    assert await approved(database, owner) == []
