import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from cronny.store.database import Database
from cronny.store.migrate import HERE, upgrade
from tests.store.conftest import with_driver

UPGRADE = "import sys; from cronny.store.migrate import upgrade; upgrade(sys.argv[1])"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'a folder' / '100%.db'}"
    return with_driver(request.getfixturevalue("fresh_postgres"))


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, SQLModel.metadata))


async def test_the_migrations_give_the_tables_of_the_models(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []


async def test_an_upgrade_that_has_nothing_to_do_keeps_everything(database_url: str) -> None:
    database = Database(database_url)
    async with database.write() as session:
        await session.execute(text("insert into lease (name, holder, expires_at) values ('a', 'b', 1)"))
    await asyncio.to_thread(upgrade, database_url)
    async with database.read() as session:
        rows = (await session.execute(text("select holder from lease"))).scalars().all()
    await database.close()
    assert rows == ["b"]


def test_processes_that_migrate_at_once_do_not_collide(empty_url: str) -> None:
    commands = [[sys.executable, "-c", UPGRADE, empty_url]] * 2
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors


async def test_an_upgrade_within_a_running_loop_works(empty_url: str) -> None:
    upgrade(empty_url)
    database = Database(empty_url)
    async with database.read() as session:
        revision = (await session.execute(text("select version_num from alembic_version"))).scalar_one()
    await database.close()
    assert revision == ScriptDirectory(str(HERE)).get_current_head()
