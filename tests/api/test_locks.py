"""What must not wait for what on PostgreSQL, or the one would end up waiting for the other."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from cronny.store.schedules import Wish
from cronny.store.tenant_store import writing
from cronny.store.tenants import Tenants
from tests.api.server import PING, Server, serving

LIMIT = 20.0  # seconds


@pytest.fixture
async def postgres_server(empty_postgres: str) -> AsyncIterator[Server]:
    """An API on PostgreSQL."""
    async with serving(empty_postgres) as server:
        yield server


async def test_an_upload_does_not_wait_for_a_schedule_of_the_action(postgres_server: Server) -> None:
    parts = postgres_server.parts
    client = await postgres_server.tenant("acme")
    await client.put("/v1/actions/ping", content=PING)
    async with parts.database.read() as session:
        tenant = await Tenants(session).find("acme")
    assert tenant is not None
    async with writing(parts.database, tenant, parts.clock, "test") as store:
        action = await store.actions.get("ping")
        await store.schedules.save(Wish("daily", action, "every day", {}, False, False), store.now)
        async with asyncio.timeout(LIMIT):
            answer = await client.put("/v1/actions/ping", content=f"{PING}description: newer")
    assert answer.status_code == 200
