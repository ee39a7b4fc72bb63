"""What a tenant's variables are, and what they were."""

from datetime import datetime, timedelta

import pytest
from pydantic import JsonValue
from sqlalchemy import func, select

from cronny.store.database import Database
from cronny.store.tenant_tables import VariableValueRow
from cronny.store.variables import Variables, purge_values
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, executing

DAY = timedelta(days=1)


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


async def save(database: Database, owner: Owner, name: str, value: JsonValue, at: datetime) -> datetime:
    async with database.write() as session:
        row, _ = await Variables(session, owner.tenant.id).save(name, value, at)
        return row.updated_at


async def forget(database: Database, owner: Owner, name: str, at: datetime) -> None:
    async with database.write() as session:
        variables = Variables(session, owner.tenant.id)
        await variables.forget(await variables.get(name), at)


async def values(database: Database, owner: Owner, at: datetime | None) -> dict[str, JsonValue]:
    async with database.read() as session:
        return dict(await Variables(session, owner.tenant.id).values(["A", "B"], at))


async def kept(database: Database) -> int:
    async with database.read() as session:
        return (await session.execute(select(func.count()).select_from(VariableValueRow))).scalar_one()


async def test_values_are_those_of_an_instant(database: Database, owner: Owner) -> None:
    await save(database, owner, "A", 1, NOW)
    await save(database, owner, "B", [1.0, None], NOW + SECOND)
    await save(database, owner, "A", True, NOW + 2 * SECOND)
    await forget(database, owner, "B", NOW + 3 * SECOND)
    instants = [NOW - SECOND, *(NOW + n * SECOND for n in range(4)), None]
    assert repr([await values(database, owner, at) for at in instants]) == repr(
        [{}, {"A": 1}, {"A": 1, "B": [1.0, None]}, {"A": True, "B": [1.0, None]}, {"A": True}, {"A": True}]
    )


async def test_a_variable_that_comes_again_was_gone_between(database: Database, owner: Owner) -> None:
    await save(database, owner, "A", 1, NOW)
    await forget(database, owner, "A", NOW + SECOND)
    await save(database, owner, "A", 2, NOW + 2 * SECOND)
    instants = [NOW + n * SECOND for n in range(3)]
    assert [await values(database, owner, at) for at in instants] == [{"A": 1}, {}, {"A": 2}]


async def test_a_clock_that_is_behind_takes_nothing_back(database: Database, owner: Owner) -> None:
    first = await save(database, owner, "A", 1, NOW)
    second = await save(database, owner, "A", 2, NOW - SECOND)
    assert (first, second > first) == (NOW, True)
    assert [await values(database, owner, at) for at in (first, second)] == [{"A": 1}, {"A": 2}]


async def test_the_same_value_is_not_written_again(database: Database, owner: Owner) -> None:
    for _ in range(2):
        await save(database, owner, "A", 1, NOW)
    assert await kept(database) == 1


async def test_another_tenants_values_are_not_seen(database: Database, owner: Owner) -> None:
    other = await add_owner(database, "other")
    await save(database, other, "A", 1, NOW)
    await save(database, other, "A", 2, NOW + SECOND)
    assert await values(database, owner, NOW) == {}


async def test_old_values_are_purged_unless_a_trigger_needs_them(database: Database, owner: Owner) -> None:
    long_ago = NOW - 200 * DAY
    for days, value in enumerate([1, 2, 3]):
        await save(database, owner, "A", value, long_ago + days * DAY)
    await save(database, owner, "B", 1, long_ago)
    await forget(database, owner, "B", long_ago + DAY)
    started = executing(owner, long_ago + DAY)
    await add(database, started)
    assert await purge_values(database, owner.tenant, NOW) == 3  # A's first, and all of B
    assert await values(database, owner, started.started_at) == {"A": 2}


async def test_what_a_variable_is_outlives_the_retention(database: Database, owner: Owner) -> None:
    for days, value in ((200, 1), (100, 2), (10, 3)):
        await save(database, owner, "A", value, NOW - days * DAY)
    assert await purge_values(database, owner.tenant, NOW) == 1
    assert await purge_values(database, owner.tenant, NOW) == 0
    ages = (90, 5)
    assert [await values(database, owner, NOW - age * DAY) for age in ages] == [{"A": 2}, {"A": 3}]
