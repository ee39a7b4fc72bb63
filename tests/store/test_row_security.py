"""What a transaction for a tenant can do on PostgreSQL when a query forgets whose it is."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
from sqlalchemy import Table, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import JSON, Boolean, Integer
from sqlmodel import SQLModel

from cronny import store
from cronny.errors import Unavailable
from cronny.store.columns import Instant
from cronny.store.database import Database
from cronny.store.migrate import _config, upgrade
from cronny.store.row_security import ROLE, SETTING, narrow
from tests.store.conftest import with_driver
from tests.store.samples import NOW
from tests.store.test_migrations import UPGRADE

OURS, THEIRS = "ten_a", "ten_b"
for _module in iter_modules(store.__path__):
    import_module(f"{store.__name__}.{_module.name}")  # so that the metadata knows every table

NO_TENANTS = {"lease"}  # who does what only one process should do: nothing of a tenant's is in it
TABLES = [table for table in SQLModel.metadata.sorted_tables if table.name not in NO_TENANTS]
NAMES = [table.name for table in TABLES]


def row_of(table: Table, tenant: str, number: int = 0) -> dict[str, Any]:
    """A row of a tenant, which refers to its other rows."""
    return {column.name: _value(table, column.name, column.type, tenant, number) for column in table.columns}


def _value(table: Table, name: str, kind: object, tenant: str, number: int) -> Any:
    names = {
        "tenant_id": tenant,
        "id": f"{tenant}_{table.name}_{number}",
        "state": "completed",
        "kind": "skip",
    }
    names |= {f"{one}_id": f"{tenant}_{one}_0" for one in ("trigger", "action", "schedule", "webhook")}
    if table.name == "tenant" and not number:
        names["id"] = tenant
    if name in names:
        return names[name]
    if isinstance(kind, Instant):
        return NOW
    if isinstance(kind, JSON):
        return {}
    if isinstance(kind, Boolean | Integer):
        return number if isinstance(kind, Integer) else bool(number)
    return f"{tenant}_{name}_{number}"


@pytest.fixture
async def database(empty_postgres: str) -> AsyncIterator[Database]:
    """A row in every table for each of two tenants."""
    database = Database(empty_postgres)
    async with database.write() as session:
        for table in TABLES:
            for tenant in (OURS, THEIRS):
                await session.execute(insert(table).values(row_of(table, tenant)))
    yield database
    await database.close()


def theirs(table: Table) -> Any:
    """The condition that a row is of the other tenant, by its key."""
    row = row_of(table, THEIRS)
    conditions = [column == row[column.name] for column in table.primary_key]
    found = conditions[0]
    for one in conditions[1:]:
        found &= one
    return found


async def refused(database: Database, statement: Any) -> bool:
    """Whether a statement for our tenant is refused, or touches no row."""
    try:
        async with database.for_tenant(OURS).write() as session:
            found = await session.execute(statement)
            return int(found.rowcount) == 0  # type: ignore[attr-defined]  # of a statement that writes
    except DBAPIError as error:
        return "row-level security" in str(error) or "permission denied" in str(error)


async def test_every_table_of_tenants_has_its_policy(database: Database) -> None:
    query = text(
        "select relname from pg_class join pg_policy on polrelid = pg_class.oid "
        "where relrowsecurity and polcmd = '*' and polpermissive and polqual is not null"
    )
    async with database.read() as session:
        protected = (await session.execute(query)).scalars().all()
    assert sorted(protected) == sorted(NAMES)
    assert len(NAMES) > 20


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
async def test_only_ones_own_rows_are_seen(database: Database, table: Table) -> None:
    async with database.read() as session:
        assert (await session.execute(select(func.count()).select_from(table))).scalar_one() == 2
    async with database.for_tenant(OURS).read() as session:
        (found,) = (await session.execute(select(table))).mappings().all()
    assert {name: found[name] for name in found if name in table.primary_key.columns} == {
        column.name: row_of(table, OURS)[column.name] for column in table.primary_key
    }


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
async def test_nothing_of_others_is_changed_or_deleted(database: Database, table: Table) -> None:
    column = list(table.columns)[-1]
    changed = update(table).where(theirs(table)).values({column.name: row_of(table, THEIRS, 7)[column.name]})
    assert await refused(database, changed)
    assert await refused(database, delete(table).where(theirs(table)))
    async with database.read() as session:
        assert len((await session.execute(select(table))).all()) == 2


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
async def test_nothing_is_added_for_others(database: Database, table: Table) -> None:
    assert await refused(database, insert(table).values(row_of(table, THEIRS, 1)))


@pytest.mark.parametrize(
    "table", [one for one in TABLES if "tenant_id" in one.columns], ids=lambda table: table.name
)
async def test_nothing_is_given_away(database: Database, table: Table) -> None:
    assert await refused(database, update(table).values(tenant_id=THEIRS))


@pytest.mark.parametrize("table", TABLES, ids=NAMES)
async def test_without_a_tenant_nothing_is_seen(database: Database, table: Table) -> None:
    async with database.read() as session:
        await session.execute(text(f"set local role {ROLE}"))
        assert (await session.execute(select(func.count()).select_from(table))).scalar_one() == 0


async def test_limits_and_events_are_not_a_tenants_to_change(database: Database) -> None:
    for statement in (
        text("update tenant set limit_actions = null"),
        text("update event set note = 'x'"),
        text("delete from event"),
        text("delete from trigger"),
        text("select * from lease"),
        text("create table mine (a int)"),
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.for_tenant(OURS).write() as session:
                await session.execute(statement)


async def test_ones_own_row_can_be_locked(database: Database) -> None:
    async with database.for_tenant(OURS).write() as session:
        rows = await session.execute(text("select id from tenant for no key update"))
        assert rows.scalars().all() == [OURS]


async def test_a_row_cannot_be_hung_under_another_tenants(database: Database) -> None:
    for statement in (
        "update stage_record set trigger_id = :theirs",
        "update item_record set trigger_id = :theirs",
        "update live_log set trigger_id = :theirs",
    ):
        with pytest.raises(DBAPIError, match="row-level security"):
            async with database.for_tenant(OURS).write() as session:
                await session.execute(text(statement), {"theirs": f"{THEIRS}_trigger_0"})


async def test_a_table_that_nobody_has_protected_is_closed(fresh_postgres: str) -> None:
    url = with_driver(fresh_postgres)
    await asyncio.to_thread(upgrade, url)
    await _run(fresh_postgres, "create table later (tenant_id text)")
    database = Database(url)
    with pytest.raises(DBAPIError, match="permission denied for table later"):
        async with database.for_tenant(OURS).read() as session:
            await session.execute(text("select * from later"))
    await database.close()


async def test_a_session_stays_its_tenants_after_a_commit_and_a_rollback(database: Database) -> None:
    slugs = text("select slug from tenant")
    async with database.for_tenant(OURS).read() as session:
        for end in (session.commit, session.rollback):
            await session.execute(slugs)
            await end()
        assert len((await session.execute(slugs)).all()) == 1


async def test_a_savepoint_that_is_rolled_back_leaves_the_session_its_tenants(database: Database) -> None:
    async with database.for_tenant(OURS).write() as session:
        savepoint = await session.begin_nested()
        await session.execute(text("update tenant set created_at = 5"))
        await savepoint.rollback()
        assert len((await session.execute(text("select slug from tenant"))).all()) == 1


async def test_a_session_that_finds_out_whose_it_is_stays_with_that(database: Database) -> None:
    slugs = text("select slug from tenant")
    async with database.write() as session:
        assert len((await session.execute(slugs)).all()) == 2
        await narrow(session, OURS)
        assert len((await session.execute(slugs)).all()) == 1
        with pytest.raises(ValueError, match="from one tenant to another"):
            await narrow(session, THEIRS)


async def test_nobody_without_rights_can_log_in_as_the_role(empty_postgres: str) -> None:
    database = Database(empty_postgres)
    query = text(
        "select rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb "
        "from pg_roles where rolname = :role"
    )
    async with database.read() as session:
        assert tuple((await session.execute(query, {"role": ROLE})).one()) == (False,) * 5
    await database.close()


async def _fail(database: Database) -> None:
    async with database.for_tenant(OURS).write() as session:
        await session.execute(text("select 1 / 0"))


async def _sleep(database: Database) -> None:
    async with database.for_tenant(OURS).write() as session:
        await session.execute(text("select pg_sleep(60)"))


async def _cancelled(database: Database) -> None:
    task = asyncio.create_task(_sleep(database))
    async with database.read() as session:
        asleep = text("select count(*) from pg_stat_activity where query like 'select pg_sleep%'")
        while not (await session.execute(asleep)).scalar_one():
            await session.rollback()
    task.cancel()
    await asyncio.gather(task)


async def _time_out(database: Database) -> None:
    async with database.for_tenant(OURS).write() as session:
        await session.execute(text("set local statement_timeout = 1"))
        await session.execute(text("select pg_sleep(60)"))


@pytest.mark.parametrize("use", [_fail, _cancelled, _time_out])
async def test_a_connection_is_the_owners_again_whatever_happened(database: Database, use: Any) -> None:
    with pytest.raises((DBAPIError, asyncio.CancelledError)):
        await use(database)
    async with database.for_tenant(OURS).read() as session:
        assert (await session.execute(text("select current_user"))).scalar_one() == ROLE
    for _ in range(3):
        async with database.read() as session:
            query = text(f"select current_user, current_setting('{SETTING}', true)")
            user, tenant = (await session.execute(query)).one()
        assert (user != ROLE, tenant or "") == (True, "")


@pytest.fixture
def newcomer(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database whose owner may make no roles."""
    name = f"newcomer_{uuid4().hex[:8]}"
    asyncio.run(
        _run(postgres_url, f"create role {name} login password 'x'", f"create database {name} owner {name}")
    )
    address = postgres_url.rpartition("@")[2].rpartition("/")[0].removeprefix("postgresql://")
    yield f"postgresql://{name}:x@{address}/{name}"
    asyncio.run(_run(postgres_url, f"drop database {name} with (force)", f"drop role {name}"))


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


def test_who_may_make_no_roles_is_told_what_to_do(
    newcomer: str, postgres_url: str, migrated_postgres: str
) -> None:
    assert migrated_postgres  # so that there is the role
    user = newcomer.split("/")[2].partition(":")[0]
    with pytest.raises(Unavailable, match=f"`create role {ROLE} nologin` .* `grant {ROLE} to {user}`"):
        upgrade(with_driver(newcomer))
    asyncio.run(_run(postgres_url, f"grant {ROLE} to {user}"))
    upgrade(with_driver(newcomer))
    assert asyncio.run(_seen(with_driver(newcomer))) == ROLE


async def _seen(url: str) -> str:
    database = Database(url)
    try:
        async with database.for_tenant(OURS).read() as session:
            assert (await session.execute(text("select count(*) from trigger"))).scalar_one() == 0
            return str((await session.execute(text("select current_user"))).scalar_one())
    finally:
        await database.close()


def test_databases_of_one_server_can_be_migrated_at_once(postgres_url: str) -> None:
    names = [f"at_once_{uuid4().hex[:8]}" for _ in range(3)]
    asyncio.run(_run(postgres_url, *[f"create database {name}" for name in names]))
    urls = [with_driver(f"{postgres_url.rpartition('/')[0]}/{name}") for name in names]
    processes = [subprocess.Popen([sys.executable, "-c", UPGRADE, url]) for url in urls]
    assert [process.wait(timeout=60) for process in processes] == [0] * 3
    assert [asyncio.run(_seen(url)) for url in urls] == [ROLE] * 3


def test_what_was_there_before_is_protected(fresh_postgres: str) -> None:
    url = with_driver(fresh_postgres)
    command.upgrade(_config(url), "blobs")
    added = "insert into tenant (id, slug, pool, retention_days, created_at) values ('{0}', '{0}', 'p', 1, 0)"
    asyncio.run(_run(fresh_postgres, *[added.format(tenant) for tenant in (OURS, THEIRS)]))
    upgrade(url)
    assert asyncio.run(_slugs(url)) == [OURS]


async def _slugs(url: str) -> list[str]:
    database = Database(url)
    async with database.for_tenant(OURS).read() as session:
        found = list((await session.execute(text("select slug from tenant"))).scalars())
    await database.close()
    return found
