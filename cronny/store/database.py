"""One database, SQLite or PostgreSQL, and its transactions."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from time import monotonic
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import await_only

from cronny.store.columns import json_text
from cronny.store.row_security import NarrowSession, narrowing

POOL_SIZE = 8  # connections a process keeps; claims and records share a few batched writers
CONNECT_LIMIT = 10.0  # seconds; a host that swallows packets would hold every claim of a process
STATEMENT_LIMIT = 30.0  # seconds for one statement on PostgreSQL, for the same reason
BUSY_TIMEOUT = 10_000  # ms a SQLite writer waits for another process


Session = AsyncSession  # for those who hand one on


class Database:
    """Hands out sessions; every write transaction is one `async with database.write()`."""

    def __init__(self, url: str, statement_limit: float | None = STATEMENT_LIMIT) -> None:
        self.engine = _engine(url, statement_limit)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # SQLite has one writer: queueing here is fair and wakes at once, its busy handler polls.
        self._writer = asyncio.Lock() if self.is_sqlite else None

    def for_tenant(self, tenant_id: str) -> "TenantDatabase":
        """What of it is this tenant's; on PostgreSQL the database itself holds to that."""
        return TenantDatabase(self, tenant_id)

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A session for reading what is anybody's."""
        return self._reading({})

    def write(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A transaction in what is anybody's: committed when the block ends, rolled back when it raises."""
        return self._writing({})

    @asynccontextmanager
    async def _reading(self, narrowed: dict[str, str]) -> AsyncIterator[AsyncSession]:
        async with self._session(self.engine, narrowed) as session:
            yield session

    @asynccontextmanager
    async def _writing(self, narrowed: dict[str, str]) -> AsyncIterator[AsyncSession]:
        async with self._writer or nullcontext():
            engine = self.engine.execution_options(is_write=True)
            async with self._session(engine, narrowed) as session, session.begin():
                yield session

    def _session(self, engine: AsyncEngine, narrowed: dict[str, str]) -> AsyncSession:
        return AsyncSession(
            engine, expire_on_commit=False, sync_session_class=NarrowSession, info=dict(narrowed)
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class TenantDatabase:
    """What of a database is one tenant's: its sessions see and write nothing else."""

    def __init__(self, whole: Database, tenant_id: str) -> None:
        self._whole = whole
        self._narrowed = narrowing(tenant_id)

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A session for reading."""
        return self._whole._reading(self._narrowed)

    def write(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        return self._whole._writing(self._narrowed)


def _engine(url: str, statement_limit: float | None) -> AsyncEngine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_async_engine(parsed, json_serializer=json_text, pool_size=POOL_SIZE)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    return create_async_engine(
        parsed,
        json_serializer=json_text,
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        connect_args={"timeout": CONNECT_LIMIT, "command_timeout": statement_limit},
    )


def _prepare_sqlite(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event below sends BEGIN, not the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT}")  # first: the others may have to wait already
    _use_wal(cursor)
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """Set the mode of the file; two processes that do so to a new one find it busy, whatever the timeout."""
    deadline = monotonic() + BUSY_TIMEOUT / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
            await_only(asyncio.sleep(0.02))
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads and then writes fails at once when another process wrote meanwhile.
    is_write = connection.get_execution_options().get("is_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")
