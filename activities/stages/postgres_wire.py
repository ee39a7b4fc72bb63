"""The wire to a PostgreSQL server: asyncpg's, but metered, and with TLS for the server's name.

asyncpg holds a message of any size, and asks TLS for what it connects to, which here is an address. Both go
through the event loop that it is given; this is asyncio's own, except for that.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any


class MeteredLoop:
    """What asyncpg takes for its event loop."""

    def __init__(self, name: str, limit: int) -> None:
        """`name` is what the certificate must be for; `limit` how many bytes may be read."""
        self._loop = asyncio.get_running_loop()
        self._name = name
        self.limit = limit

    @property
    def is_exceeded(self) -> bool:
        """Whether more came than may be held, for which the connection was closed."""
        return self.limit < 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_connection(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[asyncio.BaseTransport, asyncio.Protocol]:
        """A connection whose protocol is behind a meter."""
        protocol = factory()
        transport, _ = await self._loop.create_connection(lambda: _Meter(protocol, self), host, port)
        return transport, protocol

    async def start_tls(
        self, transport: asyncio.Transport, protocol: Any, context: ssl.SSLContext, **_: Any
    ) -> Any:
        """TLS for the server's name; its protocol will be behind a meter."""
        secured = await self._loop.start_tls(transport, protocol, context, server_hostname=self._name)
        return secured and _Metered(secured, self)


class _Meter(asyncio.Protocol):
    """Passes on what comes until it is too much."""

    def __init__(self, protocol: asyncio.Protocol, loop: MeteredLoop) -> None:
        self._protocol = protocol
        self._loop = loop
        self.transport: asyncio.Transport | None = None
        self.connection_lost = protocol.connection_lost  # type: ignore[method-assign]  # They are the same.
        self.pause_writing = protocol.pause_writing  # type: ignore[method-assign]
        self.resume_writing = protocol.resume_writing  # type: ignore[method-assign]
        self.eof_received = protocol.eof_received  # type: ignore[method-assign]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # of a stream, it is one
        self._protocol.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self._loop.limit -= len(data)
        if not self._loop.is_exceeded:
            self._protocol.data_received(data)
        elif self.transport is not None:
            self.transport.abort()


class _Metered:
    """A transport that puts the protocol it is given behind a meter."""

    def __init__(self, transport: asyncio.Transport, loop: MeteredLoop) -> None:
        self._transport = transport
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def set_protocol(self, protocol: asyncio.Protocol) -> None:
        meter = _Meter(protocol, self._loop)
        meter.transport = self._transport
        self._transport.set_protocol(meter)
