from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest

from cronny.errors import NotFound
from cronny.store.database import Database
from cronny.store.schedules import Schedules, Wish
from cronny.store.tables import ScheduleRow, ScheduleState, TriggerState
from tests.store.samples import MINUTE, NOW, SECOND, Owner, add, add_owner, executing, fire, ledger, wish

LATER = NOW + MINUTE


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


async def change(
    database: Database, owner: Owner, do: Callable[[Schedules], Awaitable[ScheduleRow]]
) -> ScheduleRow:
    async with database.write() as session:
        return await do(Schedules(session, owner.tenant))


async def save(
    database: Database, owner: Owner, wanted: Wish, now: datetime = LATER
) -> tuple[ScheduleRow, bool]:
    async with database.write() as session:
        return await Schedules(session, owner.tenant).save(wanted, now)


async def pause(database: Database, owner: Owner, now: datetime = LATER, note: str = "") -> ScheduleRow:
    return await change(database, owner, lambda schedules: schedules.pause("often", note, now))


async def resume(database: Database, owner: Owner, now: datetime) -> ScheduleRow:
    return await change(database, owner, lambda schedules: schedules.resume("often", now))


async def delete(database: Database, owner: Owner, now: datetime = LATER) -> ScheduleRow:
    return await change(database, owner, lambda schedules: schedules.delete("often", now))


async def edit(database: Database, owner: Owner) -> ScheduleRow:
    return (await save(database, owner, wish(owner.action, source="every hour")))[0]


async def allocated(database: Database, owner: Owner, cursor: datetime) -> None:
    """The schedule as an allocation leaves it."""
    async with database.write() as session:
        row = await Schedules(session, owner.tenant).get("often", is_locked=True)
        row.cursor, row.next_due, row.wake_at = cursor, cursor + MINUTE, cursor + 55 * SECOND
        row.observed_generation = row.generation


async def test_a_new_schedule_is_pending_from_now_on(owner: Owner) -> None:
    row = owner.schedule
    assert (row.generation, row.observed_generation, row.anchor, row.cursor, row.state(NOW)) == (
        1, 0, NOW, NOW, ScheduleState.PENDING,
    )  # fmt: skip


async def test_the_same_wish_again_changes_nothing(database: Database, owner: Owner) -> None:
    row, is_changed = await save(database, owner, wish(owner.action))
    assert (is_changed, row.generation, row.updated_at) == (False, 1, NOW)


@pytest.mark.parametrize(
    "changes", [{"source": "every hour"}, {"inputs": {"a": 1}}, {"is_embedded": True}], ids=str
)
async def test_an_edit_starts_a_generation_from_now_on(
    database: Database, owner: Owner, changes: dict[str, Any]
) -> None:
    await allocated(database, owner, NOW + 2 * MINUTE)
    row, is_changed = await save(database, owner, wish(owner.action, **changes))
    assert (is_changed, row.generation, row.cursor, row.next_due, row.wake_at, row.updated_at) == (
        True, 2, LATER, None, None, LATER,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "anchor"),
    [
        ("every minute", "every hour", LATER),
        ({"every": "5m", "catchup": "all"}, {"every": "5m", "catchup": "none"}, NOW),
        ({"every": "5m"}, {"every": "5m", "paused": True, "inputs": {"a": 1}}, NOW),
        ({"every": "5m"}, {"every": "6m"}, LATER),
        ({"every": "5m"}, "every 5 minutes", NOW),
        ({"every": "5m", "count": 3}, "every 5 minutes 9 times except sunday until 2030-01-01", NOW),
        ("every 2 days; every 5 minutes", {"rules": ["every 2 days", {"every": "5m"}]}, NOW),
        ("every 2 days at 9", "every 2 days at 10", LATER),
        ("every 5 minutes", "every 5 minutes starting 2026-01-01", LATER),
    ],
)
async def test_only_a_rule_that_fires_otherwise_gets_a_new_anchor(
    database: Database, owner: Owner, before: object, after: object, anchor: datetime
) -> None:
    await save(database, owner, wish(owner.action, "other", source=before), NOW)
    row, _ = await save(database, owner, wish(owner.action, "other", source=after))
    assert row.anchor == anchor


@pytest.mark.parametrize(
    ("act", "reason"), [(edit, "superseded"), (pause, "paused"), (delete, "deleted")], ids=str
)
async def test_what_nobody_has_claimed_is_skipped_with_the_reason(
    database: Database,
    owner: Owner,
    act: Callable[[Database, Owner], Awaitable[ScheduleRow]],
    reason: str,
) -> None:
    await add(database, executing(owner, NOW), fire(owner, LATER), fire(owner, LATER + MINUTE))
    row = await act(database, owner)
    found = [(fire.state, fire.reason, fire.finished_at) for fire in await ledger(database)]
    assert row.generation == 2
    assert found == [
        (TriggerState.EXECUTING, "", None),
        (TriggerState.SKIPPED, reason, LATER),
        (TriggerState.SKIPPED, reason, LATER),
    ]


@pytest.mark.parametrize("act", [edit, pause, delete], ids=str)
async def test_what_was_asked_for_by_hand_stays(
    database: Database, owner: Owner, act: Callable[[Database, Owner], Awaitable[ScheduleRow]]
) -> None:
    await add(database, fire(owner, LATER, generation=0, number=0, reason="manual"))
    await act(database, owner)
    assert [row.state for row in await ledger(database)] == [TriggerState.SCHEDULED]


async def test_the_ledger_of_another_schedule_stays(database: Database, owner: Owner) -> None:
    other, _ = await save(database, owner, wish(owner.action, "other"))
    await add(database, fire(owner, LATER, schedule_id=other.id))
    await pause(database, owner)
    assert [row.state for row in await ledger(database)] == [TriggerState.SCHEDULED]


async def test_an_operators_pause_survives_an_edit(database: Database, owner: Owner) -> None:
    await pause(database, owner, note="migration")
    row = await edit(database, owner)
    assert (row.is_paused, row.note) == (True, "migration")


@pytest.mark.parametrize(
    ("before", "after", "by_hand", "is_paused"),
    [
        (False, True, None, True),
        (True, False, None, False),
        (True, True, "resume", False),
        (False, False, "pause", True),
        (True, False, "pause", False),
    ],
)
async def test_the_text_pauses_only_when_it_changes_its_mind(
    database: Database, owner: Owner, before: bool, after: bool, by_hand: str | None, is_paused: bool
) -> None:
    def written(every: str, paused: bool) -> Wish:
        source = {"every": every, "paused": paused}
        return wish(owner.action, "often", source=source, is_paused=paused)

    await delete(database, owner)
    await save(database, owner, written("5m", before))
    if by_hand is not None:
        await (resume if by_hand == "resume" else pause)(database, owner, LATER)
    row, _ = await save(database, owner, written("6m", after))
    assert row.is_paused is is_paused


async def test_a_pause_moves_the_cursor_back_to_now(database: Database, owner: Owner) -> None:
    await allocated(database, owner, LATER + MINUTE)
    row = await pause(database, owner, note="migration")
    assert (row.is_paused, row.note, row.cursor, row.next_due, row.wake_at) == (
        True, "migration", LATER, None, None,
    )  # fmt: skip


async def test_a_pause_keeps_what_an_outage_has_left_to_write(database: Database, owner: Owner) -> None:
    await allocated(database, owner, NOW)
    assert (await pause(database, owner)).cursor == NOW


async def test_a_second_pause_only_changes_the_note(database: Database, owner: Owner) -> None:
    await pause(database, owner, note="one")
    row = await pause(database, owner, LATER + MINUTE, note="two")
    assert (row.generation, row.note, row.updated_at) == (2, "two", LATER)


async def test_a_resume_leaves_what_fell_into_the_pause_to_be_skipped(
    database: Database, owner: Owner
) -> None:
    await pause(database, owner)
    row = await resume(database, owner, LATER + 10 * MINUTE)
    assert (row.is_paused, row.note, row.cursor, row.skip_until, row.generation, row.wake_at) == (
        False, "", NOW, LATER + 10 * MINUTE, 3, None,
    )  # fmt: skip


async def test_a_resume_goes_on_behind_the_rows_that_the_pause_skipped(
    database: Database, owner: Owner
) -> None:
    await add(database, fire(owner, LATER + MINUTE), fire(owner, LATER + 20 * MINUTE))
    await pause(database, owner)
    assert (await resume(database, owner, LATER + 10 * MINUTE)).cursor == LATER + MINUTE


async def test_a_trigger_by_hand_hides_nothing_from_a_resume(database: Database, owner: Owner) -> None:
    await pause(database, owner)
    await add(database, fire(owner, LATER + 5 * MINUTE, generation=0, number=0, reason="manual"))
    assert (await resume(database, owner, LATER + 10 * MINUTE)).cursor == NOW


async def test_a_resume_of_what_is_not_paused_changes_nothing(database: Database, owner: Owner) -> None:
    assert (await resume(database, owner, LATER)).generation == 1


async def test_a_deleted_schedule_is_not_found(database: Database, owner: Owner) -> None:
    await delete(database, owner)
    async with database.read() as session:
        schedules = Schedules(session, owner.tenant)
        assert (await schedules.all(), await schedules.of_action(owner.action.id)) == ([], [])
        with pytest.raises(NotFound, match="there is no schedule 'often'"):
            await schedules.get("often")


async def test_a_deleted_name_is_made_anew_and_counts_on(database: Database, owner: Owner) -> None:
    await pause(database, owner, note="old")
    await delete(database, owner)
    row, is_changed = await save(database, owner, wish(owner.action), LATER + MINUTE)
    assert (row.id, is_changed, row.deleted_at, row.is_paused, row.note) == (
        owner.schedule.id, True, None, False, "",
    )  # fmt: skip
    assert (row.generation, row.anchor, row.cursor, row.created_at) == (4, *[LATER + MINUTE] * 3)


@pytest.mark.parametrize(
    ("observed", "next_due", "last_due", "state"),
    [
        (0, None, None, ScheduleState.PENDING),
        (0, LATER, NOW, ScheduleState.PENDING),
        (1, LATER, None, ScheduleState.SCHEDULED),
        (1, LATER, NOW, ScheduleState.SCHEDULED),
        (1, None, LATER, ScheduleState.SCHEDULED),
        (1, None, NOW, ScheduleState.PROCESSED),
        (1, None, None, ScheduleState.PROCESSED),
    ],
)
def test_the_state_says_how_far_the_fires_were_handed_out(
    observed: int, next_due: datetime | None, last_due: datetime | None, state: ScheduleState
) -> None:
    values: dict[str, Any] = {"observed_generation": observed, "next_due": next_due, "last_due": last_due}
    row = ScheduleRow(generation=1, **values)
    assert row.state(NOW) is state


async def test_what_an_outage_left_unallocated_is_written_down_when_its_rule_is_changed(
    database: Database, owner: Owner
) -> None:
    row, _ = await save(database, owner, wish(owner.action, source="every hour"), NOW + 4 * MINUTE)
    (left,) = await ledger(database)
    assert (left.due, left.until, left.count, left.number) == (LATER, NOW + 4 * MINUTE, 4, 1)
    assert (left.state, left.reason, row.fires) == (TriggerState.SKIPPED, "superseded", 4)


async def test_what_an_outage_left_unallocated_is_written_down_when_its_schedule_is_deleted(
    database: Database, owner: Owner
) -> None:
    await delete(database, owner)
    assert [(row.due, row.reason) for row in await ledger(database)] == [(LATER, "deleted")]


async def test_what_fell_into_a_pause_is_written_down_when_its_rule_is_given_up(
    database: Database, owner: Owner
) -> None:
    await pause(database, owner, NOW)
    await edit(database, owner)
    assert [(row.due, row.state, row.reason) for row in await ledger(database)] == [
        (LATER, TriggerState.SKIPPED, "paused")
    ]
