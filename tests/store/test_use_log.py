"""When something was last used, written beside the stages."""

from datetime import timedelta

import pytest

from activities.uses import EVERY, UseLog
from cronny.store.connections import Connections
from cronny.store.database import Database
from cronny.store.tenants import Tenants
from cronny.store.uses import Use
from tests.api.server import MONDAY, Hands


@pytest.fixture
async def connection(database: Database) -> Use:
    async with database.write() as session:
        tenant = await Tenants(session).add("acme", MONDAY)
        row = await Connections(session, tenant.id).reserve("team", "slack", MONDAY)
        await Connections(session, tenant.id).save(row, "slack", {}, "k.x", MONDAY)
    return Use("connection", row.id)


async def last_used(database: Database, use: Use) -> object:
    async with database.read() as session:
        tenant = await Tenants(session).find("acme")
        assert tenant is not None
        return (await Connections(session, tenant.id).by_id(use.id)).last_used_at


async def test_uses_are_written_now_and_then(database: Database, connection: Use) -> None:
    clock = Hands()
    log = UseLog(database, clock)
    seen = []
    for span in (timedelta(), EVERY / 2, EVERY / 2):
        clock.advance(span)
        log.note([connection, connection])
        await log.close()
        seen.append(await last_used(database, connection))
    assert seen == [MONDAY, MONDAY, MONDAY + EVERY]


async def test_what_is_gone_is_used_no_more(database: Database, connection: Use) -> None:
    log = UseLog(database, Hands())
    log.note([Use("secret", "sec_1"), connection])
    await log.close()
    assert await last_used(database, connection) == MONDAY


async def test_a_database_that_is_away_fails_nobody(database: Database, connection: Use) -> None:
    broken = UseLog(Database("sqlite+aiosqlite:////nowhere/at/all.db"), Hands())
    broken.note([connection])
    await broken.close()
    assert await last_used(database, connection) is None
