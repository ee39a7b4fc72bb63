"""A connection to a tenant's MySQL: through the egress guard, for one stage, and closed whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from pydantic import Field

from activities.stages.kind import StageError
from activities.stages.mysql_errors import Garbled, Refusal, TooLarge
from activities.stages.mysql_login import log_in
from activities.stages.mysql_session import SMALL, Session
from activities.stages.mysql_wire import Wire
from activities.stages.sql_connection import SqlConnection, context_of, each_address
from cronny.egress import EgressPolicy

STOP_TIMEOUT = 5.0  # seconds to connect once more and have a query stopped.


class MysqlConnection(SqlConnection):
    """A database of a MySQL or MariaDB server."""

    port: int = Field(3306, ge=1, le=65535, description="The server's port.")


class Connected(Session):
    """A session that can have its own query stopped."""

    def __init__(self, session: Session, settings: MysqlConnection, address: str) -> None:
        super().__init__(session.wire, session.greeting)
        self._settings = settings
        self._address = address
        self.place = ""  #: Which server it is; another one has other threads under the same numbers.

    async def stop_query(self) -> None:
        """Stop what the server executes here; the session goes on."""
        await self._stop("kill query")
        await self.drain()

    async def close(self) -> None:
        """End it; a query that still runs is stopped on the server, which would not notice by itself."""
        try:
            if self.is_busy and self.place:
                with suppress(OSError, StageError, Refusal, Garbled, TooLarge):
                    async with asyncio.timeout(STOP_TIMEOUT):
                        await self._stop("kill")
            else:
                with suppress(OSError):
                    await self.quit()
        finally:
            self.wire.abort()

    async def _stop(self, command: str) -> None:
        # A second connection to the same address; a balancer there may lead to another server.
        other = await _open(self._settings, self._address)
        try:
            if await other.where() == self.place:
                await other.command(f"{command} {self.greeting.thread}")
        finally:
            other.wire.abort()


@asynccontextmanager
async def connected(settings: MysqlConnection, policy: EgressPolicy) -> AsyncIterator[Connected]:
    """A session with a checked address."""
    session = await each_address(settings, policy, lambda address: _connected(settings, address))
    try:
        session.place = await session.where()
        yield session
    finally:
        await asyncio.shield(session.close())


async def _connected(settings: MysqlConnection, address: str) -> Connected:
    return Connected(await _open(settings, address), settings, address)


async def _open(settings: MysqlConnection, address: str) -> Session:
    tls = context_of(settings)
    reader, writer = await asyncio.open_connection(address, settings.port)
    wire = Wire(reader, writer)
    try:
        wire.limit = SMALL
        return Session(wire, await log_in(wire, settings, tls))
    except TooLarge as error:
        wire.abort()
        raise Garbled from error
    except BaseException:
        wire.abort()
        raise
