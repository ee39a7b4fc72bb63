"""A connection to a tenant's PostgreSQL: through the egress guard, and closed whatever happens."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Any, Literal

import asyncpg
from asyncpg.connect_utils import SessionAttribute
from pydantic import Field, SecretStr

from activities.stages.kind import Block, StageError
from cronny.egress import CONNECT_TIMEOUT, EgressPolicy, public_authorities

CLOSE_TIMEOUT = 2.0  # seconds in which a query that was interrupted is to stop on the server.
# A request to stop that arrives before the query is lost, and functions can catch it; so does a worker that
# is killed send none. PostgreSQL 14 and later also stop when the client is gone, if they are told to look.
LOOK_FOR_CLIENT = "set client_connection_check_interval = '1s'"


class PostgresConnection(Block):
    """A database of a PostgreSQL server."""

    host: str = Field(description="The server's name or address.")
    port: int = Field(5432, ge=1, le=65535, description="The server's port.")
    database: str = Field(description="The database's name.")
    user: str = Field(description="The role to log in as.")
    password: SecretStr = Field(SecretStr(""), description="The role's password.")
    tls: Literal["verify", "require", "disable"] = Field(
        "verify", description="`require` encrypts but trusts any certificate; `disable` does not encrypt."
    )
    ca_certificate: str | None = Field(
        None, description="The authority to trust, in PEM, if not a public one."
    )


@asynccontextmanager
async def connected(
    settings: PostgresConnection, policy: EgressPolicy
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to a checked address; a query still running at the end is stopped on the server."""
    addresses = await policy.resolve(settings.host, settings.port)
    # All is given explicitly, or asyncpg would look for it in PG* variables and files of the home folder.
    connection = await asyncpg.connect(
        host=addresses,
        port=settings.port,
        user=settings.user,
        password=settings.password.get_secret_value(),
        database=settings.database,
        ssl=_tls(settings),
        direct_tls=False,
        target_session_attrs=SessionAttribute.any,
        krbsrvname="postgres",
        gsslib="gssapi",
        timeout=CONNECT_TIMEOUT,
        statement_cache_size=0,
        server_settings={"application_name": "cronny"},
    )
    try:
        with suppress(asyncpg.PostgresError):
            await connection.execute(LOOK_FOR_CLIENT)
        yield connection
    finally:
        await asyncio.shield(_close(connection))


async def _close(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    # An interrupted query was asked to stop by asyncpg; closing waits until the server has done so.
    try:
        await connection.close(timeout=CLOSE_TIMEOUT)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()


def _tls(settings: PostgresConnection) -> "ssl.SSLContext | Literal[False]":
    if settings.tls == "disable":
        return False
    if settings.tls == "require":
        return _trusting_any()
    return _verifying(settings.host, settings.ca_certificate)


class _Named(ssl.SSLContext):
    # asyncpg verifies the certificate against what it connects to, which here is an address.
    host = ""

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kwargs: Any
    ) -> ssl.SSLObject:
        """TLS for the name of the server."""
        return super().wrap_bio(incoming, outgoing, **{**kwargs, "server_hostname": self.host})


@lru_cache(maxsize=64)  # Reading certificates takes milliseconds.
def _verifying(host: str, certificate: str | None) -> ssl.SSLContext:
    context = _Named(ssl.PROTOCOL_TLS_CLIENT)
    context.host = host
    trusted = certificate or b"".join(public_authorities().get_ca_certs(binary_form=True))
    try:
        context.load_verify_locations(cadata=trusted)
    except (ssl.SSLError, TypeError) as error:  # TypeError: it has characters beyond ASCII.
        raise StageError(
            "validation", "ca_certificate is not a certificate in PEM", retryable=False
        ) from error
    return context


@lru_cache(maxsize=1)
def _trusting_any() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
