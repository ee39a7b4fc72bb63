from datetime import timedelta
from typing import Any

import pytest

from cronny.store.database import Database
from cronny.store.past import Past
from cronny.store.statistics import Spread, Statistics
from cronny.store.tables import TriggerRow, TriggerState
from tests.store.samples import MINUTE, NOW, SECOND, Owner, add, add_owner, fire

MS = timedelta(milliseconds=1)


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


def ended(owner: Owner, number: int, state: TriggerState, **changes: Any) -> TriggerRow:
    """The fire of a minute; it began as many ms late as its number says, and took as many seconds."""
    due = NOW + number * MINUTE
    begun = due + number * MS
    return fire(owner, due, state=state, started_at=begun, finished_at=begun + number * SECOND, **changes)


async def measured(database: Database, owner: Owner, since: int = 0, until: int = 1000) -> Statistics:
    async with database.read() as session:
        past = Past(session, owner.tenant)
        return await past.statistics(owner.schedule, NOW + since * MINUTE, NOW + until * MINUTE)


async def test_statistics_count_states_and_rank_what_took_time(database: Database, owner: Owner) -> None:
    completed = [ended(owner, number, TriggerState.COMPLETED) for number in range(1, 200)]
    await add(database, *completed, ended(owner, 200, TriggerState.FAILED, reason="stage_failed"))
    found = await measured(database, owner)
    assert found.fires == {TriggerState.COMPLETED: 199, TriggerState.FAILED: 1}
    assert (found.success_rate, found.rows, found.since) == (0.995, 200, NOW + MINUTE)
    assert found.lateness == Spread(100 * MS, 198 * MS, 200 * MS)
    assert found.duration == Spread(100 * SECOND, 198 * SECOND, 200 * SECOND)


async def test_what_never_began_counts_but_has_no_lateness(database: Database, owner: Owner) -> None:
    await add(database, fire(owner, state=TriggerState.MISSED, count=7, until=NOW + 6 * MINUTE))
    found = await measured(database, owner)
    assert (found.fires, found.success_rate) == ({TriggerState.MISSED: 7}, None)
    assert (found.lateness, found.duration, found.last_failure) == (None, None, None)


async def test_the_last_failure_is_named(database: Database, owner: Owner) -> None:
    rows = [ended(owner, number, TriggerState.FAILED) for number in (1, 3, 2)]
    await add(database, *rows, ended(owner, 4, TriggerState.COMPLETED))
    assert (await measured(database, owner)).last_failure == rows[1].id


async def test_only_the_range_is_looked_at(database: Database, owner: Owner) -> None:
    await add(database, *[ended(owner, number, TriggerState.COMPLETED) for number in range(5)])
    assert (await measured(database, owner, 1, 3)).rows == 2


async def test_triggers_by_hand_are_left_out(database: Database, owner: Owner) -> None:
    await add(database, ended(owner, 1, TriggerState.COMPLETED, generation=0))
    assert (await measured(database, owner)).rows == 0


async def test_one_that_completes_on_start_has_no_duration(database: Database, owner: Owner) -> None:
    await add(database, ended(owner, 1, TriggerState.COMPLETED, reason="started"))
    found = await measured(database, owner)
    assert (found.lateness, found.duration) == (Spread(MS, MS, MS), None)
