"""Queued triggers whose turn has come, as the watchdog finds them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from cronny.store.database import Database
from cronny.store.open_rows import NO_PLACE, QUEUED, TENANT_FULL
from cronny.store.tables import Tenant, TriggerRow
from cronny.store.unreleased import unreleased
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, executing, fire

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


def row(owner: Owner, second: int, reason: str = "", **changes: Any) -> TriggerRow:
    """One that waits, or executes without a reason to wait."""
    own = {"id": f"t{second}", "workflow_id": f"w{second}", "is_guarded": True, "reason": reason}
    group = {"concurrency_key": "", "concurrency_limit": 1} if reason in ("", NO_PLACE) else {}
    make = fire if reason else executing
    return make(owner, NOW + second * SECOND, **{**own, **group, **changes})


async def limit(database: Database, owner: Owner, most: int | None) -> None:
    async with database.write() as session:
        is_own = col(Tenant.id) == owner.tenant.id
        await session.execute(update(Tenant).where(is_own).values(limit_running_triggers=most))


async def told(database: Database, now: datetime = LATER) -> list[str]:
    async with database.read() as session:
        return sorted((await unreleased(session, now)).workflows)


@pytest.mark.parametrize("reason", [QUEUED, NO_PLACE, TENANT_FULL])
async def test_the_first_is_told_once_its_place_is_free(
    database: Database, owner: Owner, reason: str
) -> None:
    await limit(database, owner, 1)
    busy = row(owner, 0)
    await add(database, busy, row(owner, 1, reason), row(owner, 2, reason))
    assert await told(database) == []
    async with database.write() as session:
        await session.delete(await session.get_one(TriggerRow, busy.id))
    assert await told(database) == ["w1"]


async def test_a_limit_that_was_lifted_frees_all(database: Database, owner: Owner) -> None:
    await limit(database, owner, None)
    other = {"schedule_id": None}
    await add(database, row(owner, 0), *(row(owner, n, TENANT_FULL, **other) for n in (1, 2)))
    assert await told(database) == ["w1", "w2"]


async def test_one_that_has_only_begun_to_wait_is_left_alone(database: Database, owner: Owner) -> None:
    await add(database, row(owner, 1, NO_PLACE))
    assert await told(database, NOW + 30 * SECOND) == []
