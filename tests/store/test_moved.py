"""Fires that were moved, when their time has come."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from cronny.scheduling.allocation import LEAD, Handout
from cronny.store.allocation import lock_schedule
from cronny.store.database import Database
from cronny.store.fire_changes import Asked, FireChanges
from cronny.store.fires import ledger_rows
from cronny.store.moved import find_move, hand_out_moved, set_void, to_hand_out
from cronny.store.schedules import Schedules
from cronny.store.tables import ChangeKind, EventRow, TriggerRow, TriggerState
from tests.store.samples import MINUTE, NOW, Owner, add, add_owner, fire, ledger, wish

DUE, MOVED = NOW + 60 * MINUTE, NOW + 5 * MINUTE


@pytest.fixture
async def owner(database: Database) -> Owner:
    """A schedule whose fire in an hour was moved to five minutes from now."""
    owner = await add_owner(database)
    async with database.write() as session:
        schedule = await Schedules(session, owner.tenant).get("often", is_locked=True)
        asked = Asked(ChangeKind.MOVE, "ops", moved_to=MOVED)
        await FireChanges(session, owner.tenant).ask(schedule, DUE, asked, NOW)
    return owner


async def near(database: Database, now: datetime) -> list[datetime]:
    async with database.read() as session:
        return [change.due for change in await to_hand_out(session, now)]


async def hand_out(database: Database, owner: Owner, now: datetime = MOVED) -> TriggerRow | None:
    async with database.write() as session:
        target = await lock_schedule(session, owner.schedule.id)
        assert target is not None
        move = await find_move(session, target.schedule, DUE)
        if move is None:
            return None
        (fresh,) = ledger_rows(target, Handout((DUE,), (), (), cursor=now, next_due=None), {"a": 1}, now)
        return await hand_out_moved(session, target.schedule, move, fresh, now)


async def test_a_moved_fire_is_near_before_the_instant_it_was_moved_to(
    database: Database, owner: Owner
) -> None:
    looks = [await near(database, MOVED - LEAD - MINUTE), await near(database, MOVED - LEAD)]
    assert looks == [[], [DUE]]


async def test_its_row_is_written_once(database: Database, owner: Owner) -> None:
    rows = [await hand_out(database, owner), await hand_out(database, owner)]
    assert [row and (row.due, row.planned, row.number) for row in rows] == [(DUE, MOVED, 1)] * 2
    assert len(await ledger(database)) == 1


@pytest.mark.parametrize(
    "row",
    [
        {"state": TriggerState.EXECUTING, "run_id": "run"},
        {"state": TriggerState.SKIPPED, "reason": "overlap"},
    ],
    ids=str,
)
async def test_one_that_has_begun_or_ended_is_not_handed_out_again(
    database: Database, owner: Owner, row: dict[str, Any]
) -> None:
    await add(database, fire(owner, DUE, **row))
    assert (await hand_out(database, owner), await near(database, MOVED)) == (None, [])


async def test_one_that_an_edit_took_back_is_handed_out_again(database: Database, owner: Owner) -> None:
    await hand_out(database, owner)
    async with database.write() as session:
        await Schedules(session, owner.tenant).save(wish(owner.action, source="every 30 seconds"), MOVED)
    row = await hand_out(database, owner)
    assert row is not None
    assert (row.state, row.planned, row.generation, row.workflow_id[-2:]) == (
        TriggerState.SCHEDULED, MOVED, 2, "~2",
    )  # fmt: skip


async def test_one_whose_time_comes_in_a_pause_is_skipped(database: Database, owner: Owner) -> None:
    async with database.write() as session:
        await Schedules(session, owner.tenant).pause("often", "", NOW)
    early = await hand_out(database, owner, MOVED - LEAD), await near(database, MOVED)
    assert early == (None, [DUE])
    assert (await hand_out(database, owner), await near(database, MOVED)) == (None, [])
    assert [(row.state, row.reason) for row in await ledger(database)] == [(TriggerState.SKIPPED, "paused")]


async def test_one_that_the_rule_has_no_more_is_given_up(database: Database, owner: Owner) -> None:
    async with database.write() as session:
        schedule = await Schedules(session, owner.tenant).get("often", is_locked=True)
        move = await find_move(session, schedule, DUE)
        assert move is not None
        await set_void(session, schedule, move, MOVED)
    async with database.read() as session:
        (event,) = (await session.execute(select(EventRow))).scalars()
    assert (event.kind, event.details, await near(database, MOVED)) == (
        "fire_void", {"due": "2026-11-24T10:00:00Z", "moved_to": "2026-11-24T09:05:00Z"}, [],
    )  # fmt: skip
