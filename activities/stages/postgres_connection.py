"""A connection to a tenant's PostgreSQL: through the egress guard, and closed whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias, cast

import asyncpg
from asyncpg.connect_utils import SessionAttribute
from pydantic import Field

from activities.stages.postgres_codecs import use_codecs
from activities.stages.postgres_wire import MeteredLoop
from activities.stages.sql_connection import SqlConnection, context_of, each_address, no_tls
from cronny.egress import EgressPolicy

SMALL = 1_000_000  # bytes of what is said around a result: a login, the types of a statement.
CLOSE_TIMEOUT = 2.0  # seconds in which a query that was interrupted is to stop on the server.
# A request to stop that arrives before the query is lost, and functions can catch it; so does a worker that
# is killed send none. PostgreSQL 14 and later also stop when the client is gone, if they are told to look.
LOOK_FOR_CLIENT = "set client_connection_check_interval = '1s'"

# Only the stubs of asyncpg know this as generic.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class PostgresConnection(SqlConnection):
    """A database of a PostgreSQL server."""

    port: int = Field(5432, ge=1, le=65535, description="The server's port.")


@dataclass(frozen=True)
class Session:
    """A connection, and the meter that it is behind."""

    connection: Connection
    loop: MeteredLoop


@asynccontextmanager
async def connected(settings: PostgresConnection, policy: EgressPolicy) -> AsyncIterator[Session]:
    """A connection to a checked address; a query still running at the end is stopped on the server."""
    session = await each_address(settings, policy, lambda address: _connect(settings, address))
    try:
        await use_codecs(session.connection)
        with suppress(asyncpg.PostgresError):
            await session.connection.execute(LOOK_FOR_CLIENT)
        yield session
    finally:
        await asyncio.shield(_close(session.connection))


async def _connect(settings: PostgresConnection, address: str) -> Session:
    loop = MeteredLoop(settings.tls_name, SMALL)
    # All is given explicitly, or asyncpg would look for it in PG* variables and files of the home folder.
    try:
        connection = await asyncpg.connect(
            host=address,
            port=settings.port,
            user=settings.user,
            password=settings.password.get_secret_value(),
            database=settings.database,
            loop=cast(asyncio.AbstractEventLoop, loop),  # as far as asyncpg uses one
            ssl=context_of(settings) or False,
            direct_tls=False,
            target_session_attrs=SessionAttribute.any,
            krbsrvname="postgres",
            gsslib="gssapi",
            statement_cache_size=0,
            server_settings={"application_name": "cronny"},
        )
    except ConnectionError as error:
        # The system's own errors have classes below this one; itself it is what the driver raises, also when
        # the server hangs up instead of answering.
        if type(error) is ConnectionError:
            raise no_tls(settings.host) from error
        raise
    return Session(connection, loop)


async def _close(connection: Connection) -> None:
    # An interrupted query was asked to stop by asyncpg; closing waits until the server has done so.
    try:
        await connection.close(timeout=CLOSE_TIMEOUT)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
