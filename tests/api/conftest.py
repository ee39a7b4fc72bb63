"""The API on SQLite, and where transactions matter on PostgreSQL, too."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import AsyncClient

from cronny.store.migrate import upgrade
from tests.api.server import Server, serving


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


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    url = str(request.getfixturevalue("fresh_postgres")).replace("postgresql://", "postgresql+asyncpg://")
    upgrade(url)
    return url


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
