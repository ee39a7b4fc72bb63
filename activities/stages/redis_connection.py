"""A connection to a tenant's Redis: through the egress guard, for one stage, and closed whatever happens."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from pydantic import Field, SecretStr, model_validator

from activities.stages.kind import Block, StageError
from activities.stages.redis_errors import refused
from activities.stages.redis_protocol import Refusal, Replies, Reply, encoded
from activities.stages.tls import Tls, tls_context
from cronny.egress import CONNECT_TIMEOUT, EgressPolicy

HANDSHAKE_TIMEOUT = 10.0  # seconds for what is two round trips, on a network that may be slow.


class RedisConnection(Block):
    """A database of a Redis server, or of one that speaks its protocol, such as Valkey."""

    host: str = Field(description="The server's name or address.")
    port: int = Field(6379, ge=1, le=65535, description="The server's port.")
    database: int = Field(0, ge=0, le=65535, description="The database's number.")
    user: str | None = Field(None, description="The user to log in as, on servers with ACLs.")
    password: SecretStr | None = Field(None, description="The user's password, or that of the server.")
    tls: Literal["verify", "require", "disable"] = Field(
        "verify", description="`require` encrypts but trusts any certificate; `disable` does not encrypt."
    )
    ca_certificate: str | None = Field(
        None, description="The authority to trust, in PEM, if not a public one."
    )
    server_name: str | None = Field(
        None, description="The name that the server's certificate must have, if not `host`."
    )
    client_certificate: str | None = Field(
        None, description="The certificate to show to the server, in PEM, with those above it."
    )
    client_key: SecretStr | None = Field(None, description="The key of `client_certificate`, in PEM.")

    @model_validator(mode="after")
    def _fits_together(self) -> "RedisConnection":
        if self.user is not None and self.password is None:
            raise ValueError("a user needs a password")
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("client_certificate and client_key belong together")
        return self


class Session:
    """What one stage says to the server."""

    def __init__(self, writer: asyncio.StreamWriter, replies: Replies) -> None:
        self._writer = writer
        self._replies = replies

    async def send(self, commands: Sequence[Sequence[bytes]]) -> list[Reply]:
        """The replies to the commands, which are sent together."""
        self._writer.write(encoded(commands))
        await self._writer.drain()
        return [await self._replies.next() for _ in commands]


@asynccontextmanager
async def connected(
    settings: RedisConnection, policy: EgressPolicy, max_bytes: int
) -> AsyncIterator[Session]:
    """A session with a checked address, logged in; all its answers together stay within the limit."""
    reader, writer = await _open(settings, policy)
    try:
        session = Session(writer, Replies(reader, max_bytes))
        await _greet(session, settings)
        yield session
    finally:
        # What was written has been answered, or is given up; TLS's farewell could wait for a silent server.
        writer.transport.abort()


async def _open(
    settings: RedisConnection, policy: EgressPolicy
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = _tls(settings)
    failure: Exception | None = None
    for address in await policy.resolve(settings.host, settings.port):
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                reader, writer = await asyncio.open_connection(address, settings.port)
            if context:
                await _secure(writer, context, settings)
            return reader, writer
        except OSError as error:  # TimeoutError is one.
            failure = error
    raise failure or ConnectionError("the name has no address")


async def _secure(writer: asyncio.StreamWriter, context: ssl.SSLContext, settings: RedisConnection) -> None:
    try:
        async with asyncio.timeout(HANDSHAKE_TIMEOUT):
            await writer.start_tls(context, server_hostname=settings.server_name or settings.host)
    except TimeoutError:  # A server without TLS waits for the end of the line that the greeting seems to be.
        message = f"{settings.host} does not answer in TLS; if it offers none, `tls: disable` goes without"
        writer.transport.abort()
        raise StageError("tls", message, retryable=True) from None
    except BaseException:
        writer.transport.abort()
        raise


async def _greet(session: Session, settings: RedisConnection) -> None:
    commands: list[list[bytes]] = []
    if settings.password is not None:
        user = [] if settings.user is None else [settings.user.encode()]
        commands.append([b"AUTH", *user, settings.password.get_secret_value().encode()])
    if settings.database:
        commands.append([b"SELECT", b"%d" % settings.database])
    for command, reply in zip(commands, await session.send(commands), strict=True):
        if isinstance(reply, Refusal):
            name = command[0].decode()
            code = "WRONGPASS" if name == "AUTH" and reply.code == "ERR" else reply.code
            raise refused(name, Refusal(code, reply.text), {})


def _tls(settings: RedisConnection) -> ssl.SSLContext | None:
    if settings.tls == "disable":
        return None
    return tls_context(
        Tls(
            authority=settings.ca_certificate,
            certificate=settings.client_certificate,
            key=settings.client_key,
            verified="nothing" if settings.tls == "require" else "all",
        )
    )
