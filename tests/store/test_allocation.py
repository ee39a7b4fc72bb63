import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from cronny.scheduling.allocation import LEAD, Handout
from cronny.scheduling.catchup import Missed
from cronny.store.allocation import (
    RATE,
    SLOW,
    Overdue,
    lock_schedule,
    overdue,
    postpone,
    unstarted,
    write_fires,
)
from cronny.store.database import Database
from cronny.store.schedules import Schedules
from cronny.store.tables import ScheduleRow, TriggerRow, TriggerState
from tests.store.samples import MINUTE, NOW, SECOND, Owner, add, add_owner, executing, fire, ledger, wish


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


def at(minutes: int) -> datetime:
    return NOW + minutes * MINUTE


def handout(*run: int, cursor: int = 0, next_due: int | None = 60, **ranges: tuple[int, int, int]) -> Handout:
    """Fires at these minutes; ranges as (first, last, count)."""
    skipped, missed = (
        tuple(Missed(at(first), at(last), count) for first, last, count in [ranges[name]])
        if name in ranges
        else ()
        for name in ("skipped", "missed")
    )
    return Handout(
        run=tuple(map(at, run)),
        skipped=skipped,
        missed=missed,
        cursor=at(cursor),
        next_due=None if next_due is None else at(next_due),
    )


async def write(database: Database, schedule: ScheduleRow, given: Handout) -> ScheduleRow:
    async with database.write() as session:
        target = await lock_schedule(session, schedule.id)
        assert target is not None
        await write_fires(session, target, given, {"a": 1}, NOW)
    return target.schedule


async def left(database: Database, owner: Owner, spawned: datetime | None = None) -> list[datetime]:
    async with database.read() as session:
        schedule = await Schedules(session, owner.tenant).get("often")
        return [row.due for row in await unstarted(session, schedule, spawned)]


def seen(row: TriggerRow) -> tuple[int, TriggerState, str, int, int]:
    return int((row.due - NOW) / MINUTE), row.state, row.reason, row.number, row.count


async def test_a_schedule_that_is_gone_is_none(database: Database) -> None:
    async with database.write() as session:
        assert await lock_schedule(session, "sch_gone") is None


async def test_a_fire_becomes_a_row(database: Database, owner: Owner) -> None:
    await write(database, owner.schedule, handout(1))
    (row,) = await ledger(database)
    assert (row.tenant_id, row.action_id, row.action_version, row.schedule_id, row.due, row.inputs) == (
        owner.tenant.id, owner.action.id, 1, owner.schedule.id, at(1), {"a": 1},
    )  # fmt: skip
    assert (row.state, row.number, row.generation, row.workflow_id, row.allocated_at) == (
        TriggerState.SCHEDULED, 1, 1, "trigger/acme/often/2026-11-24T09:01:00Z", NOW,
    )  # fmt: skip


async def test_fires_and_ranges_are_numbered_by_due(database: Database, owner: Owner) -> None:
    given = handout(31, 32, skipped=(1, 10, 10), missed=(11, 30, 20), cursor=32)
    schedule = await write(database, owner.schedule, given)
    assert [seen(row) for row in await ledger(database)] == [
        (1, TriggerState.SKIPPED, "paused", 1, 10),
        (11, TriggerState.MISSED, "catchup", 11, 20),
        (31, TriggerState.SCHEDULED, "", 31, 1),
        (32, TriggerState.SCHEDULED, "", 32, 1),
    ]
    assert schedule.fires == 32


async def test_a_range_has_its_last_due_and_is_finished(database: Database, owner: Owner) -> None:
    await write(database, owner.schedule, handout(missed=(1, 10, 10), skipped=(0, 0, 1)))
    assert [(row.until, row.finished_at) for row in await ledger(database)] == [(None, NOW), (at(10), NOW)]


async def test_the_position_moves(database: Database, owner: Owner) -> None:
    row = await write(database, owner.schedule, handout(1, 2, cursor=5, next_due=7))
    assert (row.cursor, row.next_due, row.last_due, row.wake_at) == (at(5), at(7), at(2), at(7) - LEAD)


async def test_what_was_handed_out_last_is_kept_when_nothing_is(database: Database, owner: Owner) -> None:
    await write(database, owner.schedule, handout(1))
    row = await write(database, owner.schedule, handout(cursor=9, next_due=None))
    assert (row.last_due, row.next_due, row.wake_at) == (at(1), None, None)


async def test_the_same_handout_again_changes_nothing(database: Database, owner: Owner) -> None:
    given = handout(11, 12, missed=(1, 10, 10), cursor=12)
    before = await write(database, owner.schedule, given)
    rows = list(map(seen, await ledger(database)))
    after = await write(database, owner.schedule, given)
    assert (after.fires, after.wake_at) == (before.fires, before.wake_at)
    assert list(map(seen, await ledger(database))) == rows


async def test_allocations_at_once_write_each_fire_once(database: Database, owner: Owner) -> None:
    await asyncio.gather(*[write(database, owner.schedule, handout(1, 2)) for _ in range(5)])
    assert [row.number for row in await ledger(database)] == [1, 2]


async def test_a_due_that_an_edit_took_back_is_allocated_again(database: Database, owner: Owner) -> None:
    await write(database, owner.schedule, handout(1, 2))
    async with database.write() as session:
        await Schedules(session, owner.tenant).save(wish(owner.action, source="every 2 minutes"), NOW)
    schedule = await write(database, owner.schedule, handout(2, 4))
    rows = await ledger(database)
    assert [seen(row) for row in rows] == [
        (1, TriggerState.SKIPPED, "superseded", 1, 1),
        (2, TriggerState.SCHEDULED, "", 2, 1),
        (4, TriggerState.SCHEDULED, "", 3, 1),
    ]
    assert (rows[1].generation, rows[1].workflow_id[-2:], rows[1].finished_at, schedule.fires) == (
        2, "~2", None, 3,
    )  # fmt: skip


async def test_a_due_that_was_taken_back_may_begin_a_missed_range(database: Database, owner: Owner) -> None:
    await add(database, fire(owner, at(1), state=TriggerState.SKIPPED, reason="superseded"))
    await write(database, owner.schedule, handout(missed=(1, 10, 10)))
    (row,) = await ledger(database)
    assert (row.state, row.reason, row.count, row.until) == (TriggerState.MISSED, "catchup", 10, at(10))


@pytest.mark.parametrize(
    "row",
    [
        {"state": TriggerState.EXECUTING, "run_id": "run"},
        {"state": TriggerState.COMPLETED},
        {"state": TriggerState.CANCELLED, "reason": "paused"},
        {"state": TriggerState.SKIPPED, "reason": "overlap"},
        {"state": TriggerState.MISSED, "reason": "catchup"},
    ],
    ids=str,
)
async def test_what_has_happened_is_not_allocated_again(
    database: Database, owner: Owner, row: dict[str, Any]
) -> None:
    await add(database, fire(owner, at(1), **row))
    await write(database, owner.schedule, handout(1))
    assert [found.state for found in await ledger(database)] == [row["state"]]


async def test_what_is_left_to_start_is_scheduled_of_this_generation_and_later(
    database: Database, owner: Owner
) -> None:
    await add(
        database, fire(owner, at(3)), fire(owner, at(1)), executing(owner, at(2)),
        fire(owner, at(4), generation=0), fire(owner, at(5), generation=2),
    )  # fmt: skip
    assert await left(database, owner) == [at(1), at(3)]
    assert await left(database, owner, at(1)) == [at(3)]


async def test_the_more_wait_for_an_instant_the_earlier_one_wakes(database: Database, owner: Owner) -> None:
    async with database.write() as session:
        schedules = Schedules(session, owner.tenant)
        rows = [(await schedules.save(wish(owner.action, f"s{n}"), NOW))[0] for n in range(5)]
    wakes = [(await write(database, row, handout(next_due=9))).wake_at for row in rows]
    assert wakes == [at(9) - LEAD - timedelta(seconds=rank / RATE) for rank in range(5)]


async def test_what_is_overdue_is_counted_by_tenant(database: Database, owner: Owner) -> None:
    other = await add_owner(database, "other")
    await add(database, fire(owner), fire(owner, NOW + SECOND), fire(other), executing(other, NOW + SECOND))
    async with database.read() as session:
        found = [await overdue(session, NOW + SLOW + later) for later in (timedelta(), SECOND, 2 * SECOND)]
    one, two = Overdue(1, NOW), Overdue(2, NOW)
    assert found == [{}, {"acme": one, "other": one}, {"acme": two, "other": one}]


@pytest.mark.parametrize(
    "changes",
    [{"planned": NOW + MINUTE}, {"reason": "queued"}, {"allocated_at": NOW + MINUTE}],
    ids=["starts later", "waits for others", "was just allocated"],
)
async def test_what_cannot_have_started_is_not_overdue(
    database: Database, owner: Owner, changes: dict[str, Any]
) -> None:
    await add(database, fire(owner, **changes))
    async with database.read() as session:
        assert await overdue(session, NOW + MINUTE) == {}


async def test_a_postponed_schedule_is_allocated_later_and_loses_no_fire(
    database: Database, owner: Owner
) -> None:
    before = await write(database, owner.schedule, handout(1, cursor=5, next_due=7))
    async with database.write() as session:
        target = await lock_schedule(session, owner.schedule.id)
        assert target is not None
        await postpone(session, target.schedule, at(8))
    after = target.schedule
    assert (after.wake_at, after.cursor, after.next_due) == (at(8), before.cursor, before.next_due)
    assert len(await ledger(database)) == 1


@pytest.mark.parametrize(("until", "now", "is_said"), [(0, 0, True), (0, -60, False), (None, 0, False)])
async def test_a_fire_that_was_allocated_late_for_its_tenants_rate_says_so(
    database: Database, owner: Owner, until: int | None, now: int, is_said: bool
) -> None:
    async with database.write() as session:
        target = await lock_schedule(session, owner.schedule.id)
        assert target is not None
        if until is not None:
            await postpone(session, target.schedule, at(until))
        due = handout(1, cursor=5, next_due=7)
        await write_fires(session, target, due, {}, at(1) + now * SECOND)
    (row,) = await ledger(database)
    assert bool(row.is_postponed) is is_said
