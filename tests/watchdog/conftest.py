"""A watchdog on a database of its own, and a tenant on the Temporal server that the session shares."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cronny.store.database import Database
from cronny.store.migrate import upgrade
from tests.watchdog.kennel import Kennel
from tests.workflows.stand import make_stand


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("watchdog") / "cronny.db"
    upgrade(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def url(template: Path, tmp_path: Path) -> str:
    copied = shutil.copy(template, tmp_path / "cronny.db")
    return f"sqlite+aiosqlite:///{copied}"


@pytest.fixture
async def kennel(url: str, temporal: str) -> AsyncIterator[Kennel]:
    database = Database(url)
    yield await Kennel.make(database, await make_stand(temporal))
    await database.close()
