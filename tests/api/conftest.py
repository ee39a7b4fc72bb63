"""The API on SQLite, and where transactions matter on PostgreSQL, too."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from httpx import AsyncClient

from cronny.settings import Settings
from cronny.store.migrate import upgrade
from cronny.store.tables import Tenant
from tests.api.server import Server, serving

# Emptying the tables is a hundred times quicker than a fresh database.
EMPTY = ";".join(f'delete from "{table.name}"' for table in reversed(Tenant.metadata.sorted_tables))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "cronny.db"
    upgrade(f"sqlite+aiosqlite:///{file}")
    return file


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A migrated SQLite database."""
    return f"sqlite+aiosqlite:///{shutil.copy(migrated_file, tmp_path)}"


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> str:
    """`postgresql://…` of the migrated database that the tests share one after the other."""
    asyncio.run(_execute(postgres_url, "create database api"))
    url = f"{postgres_url.rpartition('/')[0]}/api"
    upgrade(Settings(database_url=url).database_url)
    return url


@pytest.fixture
def empty_postgres(migrated_postgres: str) -> str:
    """A migrated PostgreSQL database without rows."""
    asyncio.run(_execute(migrated_postgres, EMPTY))
    return Settings(database_url=migrated_postgres).database_url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind, without rows."""
    kind = "sqlite_url" if request.param == "sqlite" else "empty_postgres"
    return str(request.getfixturevalue(kind))


@pytest.fixture
async def server(sqlite_url: str) -> AsyncIterator[Server]:
    """An API on SQLite whose Temporal is away."""
    async with serving(sqlite_url) as server:
        yield server


@pytest.fixture
async def each_server(database_url: str) -> AsyncIterator[Server]:
    """An API on each kind of database whose Temporal is away."""
    async with serving(database_url) as server:
        yield server


@pytest.fixture
async def acme(server: Server) -> AsyncIterator[AsyncClient]:
    """A tenant's client, on SQLite."""
    async with await server.tenant("acme") as client:
        yield client


@pytest.fixture
async def each_acme(each_server: Server) -> AsyncIterator[AsyncClient]:
    """A tenant's client, on each kind of database."""
    async with await each_server.tenant("acme") as client:
        yield client


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()
