"""Alembic's entry: runs the migrations over the async engine of the store."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from cronny.store import (
    blob_tables,
    item_tables,
    lease,
    live_tables,
    tables,
    tenant_tables,
    wait_tables,
    webhook_tables,
)
from cronny.store.database import Database

METADATA = SQLModel.metadata
LOCK = 0x63726F6E6E79  # "cronny": processes that start together migrate one after the other


def migrate(connection: Connection) -> None:
    """Run the migrations in one transaction."""
    # SQLite takes schema changes back like all others, whatever Alembic supposes: were each migration
    # committed by itself, another process could begin between two of them.
    context.configure(
        connection=connection, target_metadata=METADATA, render_as_batch=True, transactional_ddl=True
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"select pg_advisory_xact_lock({LOCK})")
        context.run_migrations()


async def run() -> None:
    """Open the database that was asked for and migrate it."""
    database = Database(context.config.attributes["database_url"], statement_limit=None)
    engine = database.engine.execution_options(is_write=True)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
            await connection.commit()
    finally:
        await database.close()


TABLES = (tables, blob_tables, item_tables, live_tables, lease, tenant_tables, wait_tables, webhook_tables)
assert all(TABLES)  # noqa: S101  # imported for their side effect: the metadata

# A thread of its own, as the caller may be inside a running event loop.
with ThreadPoolExecutor(1) as executor:
    executor.submit(asyncio.run, run()).result()
