"""A migrated, empty database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cronny.store.database import Database
from cronny.store.migrate import upgrade


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'cronny.db'}"
    upgrade(url)
    database = Database(url)
    yield database
    await database.close()
