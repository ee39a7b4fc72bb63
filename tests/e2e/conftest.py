"""Running installations, on SQLite and on PostgreSQL, shared by the tests that only need one."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest

from tests.e2e.installation import Installation, running
from tests.e2e.tenant import TenantClient


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """An installation that stays up; tests have tenants of their own."""
    if request.param == "sqlite":
        with running() as found:
            yield found
        return
    with running(new_database(request.getfixturevalue("postgres_url"))) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgres"])
def lone_installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """An installation whose processes a test may kill."""
    url = None if request.param == "sqlite" else new_database(request.getfixturevalue("postgres_url"))
    with running(url) as found:
        yield found


@pytest.fixture
def tenant(installation: Installation) -> TenantClient:
    """A new tenant."""
    return installation.add_tenant(f"t-{uuid4().hex[:8]}")


def new_database(server_url: str) -> str:
    """`postgresql://…` of a new database on a server."""
    name = f"e2e_{uuid4().hex[:12]}"
    asyncio.run(_create(server_url, name))
    return f"{server_url.rpartition('/')[0]}/{name}"


async def _create(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"create database {name}")
    await connection.close()
