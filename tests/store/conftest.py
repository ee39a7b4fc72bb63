"""A database for each test, on SQLite and on PostgreSQL: a copy of one that was migrated once."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from cronny.settings import Settings
from cronny.store.database import Database
from cronny.store.migrate import upgrade

TEMPLATE = "cronny_template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "cronny.db"
    upgrade(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """`postgresql://…/` of the server that has the template."""
    asyncio.run(_execute(postgres_url, f"create database {TEMPLATE}"))
    server = postgres_url.rpartition("/")[0] + "/"
    upgrade(with_driver(server + TEMPLATE))
    return server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh copy of the template."""
    if request.param == "sqlite":
        path = tmp_path / "cronny.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
    else:
        yield from _postgres_copy(request.getfixturevalue("postgres_template"))


@pytest.fixture
def postgres_copy(postgres_template: str) -> Iterator[str]:
    """The URL of a fresh copy on PostgreSQL, for what concerns PostgreSQL alone."""
    yield from _postgres_copy(postgres_template)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


def with_driver(url: str) -> str:
    """The URL as the settings make it."""
    return Settings(database_url=url).database_url


def _postgres_copy(server: str) -> Iterator[str]:
    name = f"store_{uuid4().hex}"
    asyncio.run(_execute(f"{server}postgres", f"create database {name} template {TEMPLATE}"))
    yield with_driver(server + name)
    asyncio.run(_execute(f"{server}postgres", f"drop database {name} with (force)"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()
