"""What a schedule's options make of its ledger rows."""

from datetime import timedelta
from typing import Any

import pytest

from cronny.firing import fire_of
from cronny.scheduling import compile_schedule
from cronny.scheduling.allocation import Handout
from cronny.store.allocation import lock_schedule, write_fires
from cronny.store.database import Database
from cronny.store.tables import TriggerRow
from cronny.store.terms import terms_of
from dsl.schedule import Schedule
from tests.store.samples import MINUTE, NOW, SECOND, add_owner, ledger

DUES = tuple(NOW + number * MINUTE for number in range(1, 6))


async def written(database: Database, **options: Any) -> list[TriggerRow]:
    """The rows of a schedule with these options that fires each minute."""
    owner = await add_owner(database)
    schedule = Schedule.model_validate({"every": "1m", **options})
    terms = terms_of(schedule, compile_schedule(schedule, NOW), owner.schedule.id)
    async with database.write() as session:
        target = await lock_schedule(session, owner.schedule.id)
        assert target is not None
        await write_fires(session, target, Handout(DUES, (), (), DUES[-1], None), {}, NOW, terms)
    return await ledger(database)


async def test_without_options_a_fire_starts_on_its_due_and_is_free(database: Database) -> None:
    rows = await written(database)
    assert [(row.planned, row.is_guarded, row.start_by) for row in rows] == [
        (due, False, None) for due in DUES
    ]
    assert fire_of(rows[0], "acme", "check", "often", NOW).planned is None


@pytest.mark.parametrize("option", ["jitter", "spread"])
async def test_a_moved_start_stands_beside_the_due(database: Database, option: str) -> None:
    rows = await written(database, **{option: "40s"})
    moved = [row.planned - row.due for row in rows]
    assert [row.due for row in rows] == list(DUES)
    assert all(timedelta() <= by < 40 * SECOND for by in moved)
    assert any(moved)
    fires = [fire_of(row, "acme", "check", "often", NOW) for row in rows]
    assert [fire.start_at for fire in fires] == [row.planned for row in rows]


async def test_a_deadline_counts_from_the_planned_start(database: Database) -> None:
    rows = await written(database, deadline="10s", jitter="40s")
    assert [row.start_by for row in rows] == [row.planned + 10 * SECOND for row in rows]


@pytest.mark.parametrize(
    "options",
    [{"overlap": "skip"}, {"deadline": "10s"}, {"complete_on": "start"}, {"pause_after_failures": 3}],
    ids=str,
)
async def test_what_looks_beyond_its_own_row_is_guarded(database: Database, options: dict[str, Any]) -> None:
    rows = await written(database, **options)
    assert {row.is_guarded for row in rows} == {True}
    assert fire_of(rows[0], "acme", "check", "often", NOW).is_guarded
