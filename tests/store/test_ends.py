"""The ends of guarded triggers."""

from typing import Any

import pytest

from cronny.store.database import Database
from cronny.store.ends import end_guarded
from cronny.store.records import TriggerEnd
from cronny.store.schedules import Schedules
from cronny.store.tables import ScheduleRow, TriggerRow, TriggerState
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, executing, fire, ledger, wish

LATER = NOW + 100 * SECOND


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


def end_of(row: TriggerRow, state: str = "completed", reason: str = "", **changes: Any) -> TriggerEnd:
    values = {"outputs": None, "error": None, "finished_at": LATER, **changes}
    return TriggerEnd(row.id, "run", TriggerState(state), reason, **values)


async def ended(database: Database, *ends: TriggerEnd) -> list[tuple[str, ...]]:
    async with database.write() as session:
        return await end_guarded(session, ends, LATER)


async def failing(database: Database, owner: Owner, limit: int) -> None:
    """The schedule, which gives up after so many failures."""
    source = {"every": "1m", "pause_after_failures": limit}
    async with database.write() as session:
        await Schedules(session, owner.tenant).save(wish(owner.action, source=source), NOW)


async def schedule(database: Database, owner: Owner) -> ScheduleRow:
    async with database.read() as session:
        return await Schedules(session, owner.tenant).get("often")


def past(owner: Owner, *states: str, **changes: Any) -> list[TriggerRow]:
    """Rows of the edited schedule that ended like this, one a second."""
    return [
        fire(owner, NOW + second * SECOND, generation=2, state=TriggerState(state), **changes)
        for second, state in enumerate(states)
    ]


async def test_an_end_settles_its_trigger_and_tells_who_waits(database: Database, owner: Owner) -> None:
    row = executing(owner, NOW)
    await add(database, row, fire(owner, NOW + SECOND, reason="queued", workflow_id="w1"))
    assert await ended(database, end_of(row)) == [("w1",)]
    assert [(one.state.value, one.finished_at) for one in await ledger(database)] == [
        ("completed", LATER), ("scheduled", None),
    ]  # fmt: skip


async def test_the_same_end_again_tells_the_same(database: Database, owner: Owner) -> None:
    row = executing(owner, NOW)
    await add(database, row, fire(owner, NOW + SECOND, reason="queued", workflow_id="w1"))
    assert [await ended(database, end_of(row)) for _ in range(2)] == [[("w1",)], [("w1",)]]


async def test_nobody_is_told_while_another_still_executes(database: Database, owner: Owner) -> None:
    row, other = executing(owner, NOW), executing(owner, NOW + SECOND)
    await add(database, row, other, fire(owner, NOW + 2 * SECOND, reason="queued", workflow_id="w1"))
    assert await ended(database, end_of(row)) == [()]


async def test_a_trigger_that_completed_on_its_start_still_gets_its_outputs(
    database: Database, owner: Owner
) -> None:
    row = executing(owner, NOW, state=TriggerState.COMPLETED, reason="started", finished_at=NOW)
    await add(database, row)
    await ended(database, end_of(row, "failed", "stage_failed", error={"code": "timeout"}))
    (found,) = await ledger(database)
    assert (found.state, found.reason, found.finished_at, found.error) == (
        TriggerState.COMPLETED, "started", NOW, {"code": "timeout"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "reason", "after"),
    [("cancelled", "requested", "overlap_cancelled"), ("completed", "", ""), ("failed", "f", "f")],
)
async def test_what_was_cancelled_for_a_later_one_says_so(
    database: Database, owner: Owner, state: str, reason: str, after: str
) -> None:
    row = executing(owner, NOW, reason="overlap_cancelled")
    await add(database, row)
    await ended(database, end_of(row, state, reason))
    assert [(one.state.value, one.reason) for one in await ledger(database)] == [(state, after)]


async def test_a_schedule_that_keeps_failing_is_paused(database: Database, owner: Owner) -> None:
    await failing(database, owner, 3)
    row = executing(owner, NOW + 9 * SECOND, generation=2)
    coming = fire(owner, LATER + 60 * SECOND, generation=2)
    await add(database, *past(owner, "completed", "failed", "failed"), row, coming)
    await ended(database, end_of(row, "failed", "stage_failed"))
    found = await schedule(database, owner)
    assert (found.is_paused, found.note) == (True, "paused after 3 failures in a row")
    assert [(one.state.value, one.reason) for one in await ledger(database)][-1] == ("skipped", "paused")


@pytest.mark.parametrize(
    "states", [("failed", "completed"), ("completed", "failed"), ("failed", "completed", "failed")]
)
async def test_a_success_in_between_counts_from_the_beginning(
    database: Database, owner: Owner, states: tuple[str, ...]
) -> None:
    await failing(database, owner, 3)
    row = executing(owner, NOW + 9 * SECOND, generation=2)
    await add(database, *past(owner, *states), row)
    await ended(database, end_of(row, "failed", "stage_failed"))
    assert not (await schedule(database, owner)).is_paused


async def test_failures_before_the_last_change_do_not_count(database: Database, owner: Owner) -> None:
    await failing(database, owner, 2)
    row = executing(owner, NOW + 9 * SECOND, generation=2)
    await add(database, fire(owner, NOW, state=TriggerState.FAILED), row)
    await ended(database, end_of(row, "failed", "stage_failed"))
    assert not (await schedule(database, owner)).is_paused


async def test_what_was_left_out_between_failures_does_not_count(database: Database, owner: Owner) -> None:
    await failing(database, owner, 2)
    row = executing(owner, NOW + 9 * SECOND, generation=2)
    await add(database, *past(owner, "failed", "skipped", "missed"), row)
    await ended(database, end_of(row, "failed", "stage_failed"))
    assert (await schedule(database, owner)).is_paused


async def test_a_schedule_without_a_limit_goes_on_failing(database: Database, owner: Owner) -> None:
    row = executing(owner, NOW)
    await add(database, row)
    await ended(database, end_of(row, "failed", "stage_failed"))
    assert not (await schedule(database, owner)).is_paused


async def test_a_trigger_without_a_schedule_ends(database: Database, owner: Owner) -> None:
    row = executing(owner, NOW, schedule_id=None)
    await add(database, row)
    assert await ended(database, end_of(row)) == [()]
    assert [one.state.value for one in await ledger(database)] == ["completed"]


async def test_a_failing_schedule_is_paused_with_one_note_only(database: Database, owner: Owner) -> None:
    await failing(database, owner, 1)
    row = executing(owner, NOW, generation=2)
    await add(database, row)
    for _ in range(2):
        await ended(database, end_of(row, "failed", "stage_failed"))
    found = await schedule(database, owner)
    assert (found.note, found.generation) == ("paused after a failure", 3)
