"""Single fires that somebody leaves out, moves, or gives other inputs."""

from datetime import datetime
from typing import Any

import pytest

from cronny.errors import Conflict, NotFound
from cronny.scheduling.allocation import Handout
from cronny.store.allocation import lock_schedule, unstarted, write_fires
from cronny.store.database import Database
from cronny.store.fire_changes import Asked, FireChanges
from cronny.store.schedules import Schedules
from cronny.store.tables import ChangeKind, FireChange, TriggerRow, TriggerState
from tests.store.samples import MINUTE, NOW, Owner, add, add_owner, fire, ledger, wish

SKIP = Asked(ChangeKind.SKIP, "ops", "a holiday")


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def move(minutes: float) -> Asked:
    return Asked(ChangeKind.MOVE, "ops", moved_to=at(minutes))


def inputs(value: int) -> Asked:
    return Asked(ChangeKind.INPUTS, "ops", inputs={"a": value})


async def ask(database: Database, owner: Owner, minute: float, asked: Asked, now: float = 0) -> FireChange:
    async with database.write() as session:
        schedule = await Schedules(session, owner.tenant).get("often", is_locked=True)
        return await FireChanges(session, owner.tenant).ask(schedule, at(minute), asked, at(now))


async def undo(database: Database, owner: Owner, minute: float, now: float = 0) -> TriggerRow | None:
    async with database.write() as session:
        schedule = await Schedules(session, owner.tenant).get("often", is_locked=True)
        return await FireChanges(session, owner.tenant).undo(schedule, at(minute), {"a": 0}, at(now))


async def allocate(database: Database, owner: Owner, *minutes: int) -> list[float]:
    """Write fires of these minutes; those that the schedule's workflow is to start."""
    handout = Handout(tuple(map(at, minutes)), (), (), cursor=at(max(minutes)), next_due=None)
    async with database.write() as session:
        target = await lock_schedule(session, owner.schedule.id)
        assert target is not None
        await write_fires(session, target, handout, {"a": 0}, NOW)
        return [(row.due - NOW) / MINUTE for row in await unstarted(session, target.schedule, None)]


async def seen(database: Database) -> list[tuple[float, float, str, str, Any]]:
    """Due, planned instant, state, reason and inputs of every row."""
    return [
        ((row.due - NOW) / MINUTE, (row.planned - NOW) / MINUTE, row.state.value, row.reason, row.inputs)
        for row in await ledger(database)
    ]


@pytest.mark.parametrize(
    ("asked", "row", "started"),
    [
        (SKIP, (2, 2, "skipped", "operator", {"a": 0}), [1, 3]),
        (move(9), (2, 9, "scheduled", "", {"a": 0}), [1, 3]),
        (inputs(7), (2, 2, "scheduled", "", {"a": 7}), [1, 2, 3]),
    ],
)
@pytest.mark.parametrize("is_allocated", [False, True], ids=["before", "after"])
async def test_a_fire_is_changed_before_and_after_its_allocation(
    database: Database, owner: Owner, asked: Asked, row: Any, started: list[int], is_allocated: bool
) -> None:
    if is_allocated:
        await allocate(database, owner, 1, 2, 3)
    await ask(database, owner, 2, asked)
    assert await allocate(database, owner, 1, 2, 3) == started
    assert (await seen(database))[1] == row


async def test_a_fire_is_moved_and_given_inputs(database: Database, owner: Owner) -> None:
    await ask(database, owner, 1, move(5))
    await ask(database, owner, 1, inputs(3))
    await allocate(database, owner, 1)
    assert await seen(database) == [(1, 5, "scheduled", "", {"a": 3})]


async def test_a_fire_that_is_moved_after_its_allocation_gets_another_workflow(
    database: Database, owner: Owner
) -> None:
    await allocate(database, owner, 1)
    await ask(database, owner, 1, move(5))
    (row,) = await ledger(database)
    assert row.workflow_id == "trigger/acme/often/2026-11-24T09:01:00Z~2026-11-24T09:05:00Z"


async def test_a_moved_fire_takes_its_deadline_along(database: Database, owner: Owner) -> None:
    await add(database, fire(owner, at(1), start_by=at(2)))
    await ask(database, owner, 1, move(5))
    assert [row.start_by for row in await ledger(database)] == [at(6)]


@pytest.mark.parametrize("asked", [SKIP, move(9), inputs(7)], ids=["skip", "move", "inputs"])
@pytest.mark.parametrize("is_allocated", [False, True], ids=["before", "after"])
async def test_what_was_asked_is_undone(
    database: Database, owner: Owner, asked: Asked, is_allocated: bool
) -> None:
    if is_allocated:
        await allocate(database, owner, 2)
    await ask(database, owner, 2, asked)
    row = await undo(database, owner, 2)
    assert (row is not None) == is_allocated
    await allocate(database, owner, 2)
    assert await seen(database) == [(2, 2, "scheduled", "", {"a": 0})]
    assert [one.workflow_id for one in await ledger(database)] == ["trigger/acme/often/2026-11-24T09:02:00Z"]


async def test_an_edit_does_not_lose_what_was_asked(database: Database, owner: Owner) -> None:
    await allocate(database, owner, 1)
    await ask(database, owner, 1, SKIP)
    await ask(database, owner, 2, SKIP)
    async with database.write() as session:
        await Schedules(session, owner.tenant).save(wish(owner.action, source="every 30 seconds"), NOW)
    await allocate(database, owner, 1, 2)
    assert [(row[0], row[2:4]) for row in await seen(database)] == [
        (1, ("skipped", "operator")),
        (2, ("skipped", "operator")),
    ]


async def test_a_skip_outlives_an_edit_and_is_undone_under_the_new_rule(
    database: Database, owner: Owner
) -> None:
    await allocate(database, owner, 1)
    await ask(database, owner, 1, SKIP)
    async with database.write() as session:
        await Schedules(session, owner.tenant).save(wish(owner.action, source="every 30 seconds"), NOW)
    await undo(database, owner, 1)
    (row,) = await ledger(database)
    assert (row.state, row.generation, row.workflow_id[-2:]) == (TriggerState.SCHEDULED, 2, "~2")


async def test_a_deletion_forgets_what_was_asked(database: Database, owner: Owner) -> None:
    await ask(database, owner, 1, SKIP)
    async with database.write() as session:
        schedule = await Schedules(session, owner.tenant).delete("often", NOW)
        assert (await FireChanges(session, owner.tenant).of(schedule), schedule.has_changes) == ([], False)


@pytest.mark.parametrize(
    "row",
    [
        {"state": TriggerState.EXECUTING, "run_id": "run"},
        {"state": TriggerState.COMPLETED},
        {"state": TriggerState.SKIPPED, "reason": "overlap"},
    ],
    ids=str,
)
async def test_what_has_happened_is_not_changed(
    database: Database, owner: Owner, row: dict[str, Any]
) -> None:
    await add(database, fire(owner, at(1), **row))
    with pytest.raises(Conflict, match="already"):
        await ask(database, owner, 1, SKIP)


async def test_what_is_over_is_neither_changed_nor_undone(database: Database, owner: Owner) -> None:
    with pytest.raises(Conflict, match="is over"):
        await ask(database, owner, 1, SKIP, now=2)
    await ask(database, owner, 1, SKIP)
    with pytest.raises(Conflict, match="is over"):
        await undo(database, owner, 1, now=2)


async def test_a_skipped_fire_is_not_moved(database: Database, owner: Owner) -> None:
    await ask(database, owner, 1, SKIP)
    with pytest.raises(Conflict, match="is skipped; undo that first"):
        await ask(database, owner, 1, move(5))


async def test_there_must_be_something_to_undo(database: Database, owner: Owner) -> None:
    with pytest.raises(NotFound, match="was not changed"):
        await undo(database, owner, 1)
