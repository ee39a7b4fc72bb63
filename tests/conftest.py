"""The real servers that tests run against; one that is missing fails the tests."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest

from tests.servers import docker, mariadb, postgres
from tests.servers import temporal as temporal_server


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """`postgresql://…` of a private PostgreSQL, shared by the session."""
    with postgres.running() as url:
        yield url


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[str]:
    """`postgresql://…` of a new, empty database."""
    name = f"test_{uuid4().hex}"
    asyncio.run(_execute(postgres_url, f"create database {name}"))
    yield f"{postgres_url.rpartition('/')[0]}/{name}"
    asyncio.run(_execute(postgres_url, f"drop database {name} with (force)"))


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[mariadb.Server]:
    """A private MariaDB, shared by the session."""
    with mariadb.running() as server:
        yield server


@pytest.fixture(scope="session")
def temporal() -> Iterator[str]:
    """`host:port` of a real development server, shared by the session."""
    with temporal_server.running() as server:
        yield server.address


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[docker.Engine]:
    """A private Docker Engine, shared by the session."""
    with docker.running() as engine:
        yield engine


@pytest.fixture
def engine(docker_engine: docker.Engine) -> Iterator[docker.Engine]:
    """A Docker Engine without containers."""
    yield docker_engine
    docker_engine.clear()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()
