"""A client of the Docker Engine's HTTP API, as far as stages need it.

It is httpx on the Engine's socket and not the `docker` package: that one blocks a thread for each call,
cannot give up a log that it follows, and reads environment variables and `~/.docker/config.json` by itself.
The Engine is named by the operator, like the database: the egress guard is for what tenants name.

API: https://docs.docker.com/reference/api/engine/version/v1.41/
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from cronny.errors import CronnyError

VERSION = "v1.41"  # of Docker 20.10, which Debian 12 has; later Engines still speak it.
PATIENCE = 30.0  # seconds for an answer; what takes as long as a container does says so.


class EngineError(CronnyError):
    """The Docker Engine did not do what it was asked for."""

    def __init__(self, status: int, message: str) -> None:
        """`status` is that of its answer, 0 when there was none."""
        super().__init__(message)
        self.status = status

    @property
    def is_passing(self) -> bool:
        """Whether the same may well succeed later."""
        return self.status == 0 or self.status >= 500


class Engine:
    """The Docker Engine at one address."""

    def __init__(self, host: str) -> None:
        parts = urlsplit(host)
        self._socket = parts.path if parts.scheme == "unix" else None
        self._address = (parts.hostname or "", parts.port or 0)
        self._client = httpx.AsyncClient(
            # A connection that the Engine has closed meanwhile would fail a request that cannot be repeated.
            transport=httpx.AsyncHTTPTransport(
                uds=self._socket, limits=httpx.Limits(max_keepalive_connections=0)
            ),
            base_url=f"http://{'docker' if self._socket else parts.netloc}/{VERSION}",
            trust_env=False,
            timeout=PATIENCE,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def get(self, path: str, /, **query: str) -> Any:
        """What the Engine says about something."""
        return (await self._ask("GET", path, params=query)).json()

    async def head(self, path: str, /, **query: str) -> httpx.Headers:
        """The headers of an answer."""
        return (await self._ask("HEAD", path, params=query)).headers

    async def post(self, path: str, body: Any = None, /, **query: str) -> Any:
        """The answer to a wish, if it has one."""
        response = await self._ask("POST", path, params=query, json=body)
        return response.json() if response.content else None

    async def post_patiently(self, path: str, /, **query: str) -> None:
        """Wish for something that may take any time."""
        await self._ask("POST", path, params=query, timeout=httpx.Timeout(None, connect=PATIENCE))

    async def content(self, path: str, /, **query: str) -> bytes:
        """An answer that is no JSON."""
        return (await self._ask("GET", path, params=query)).content

    async def put(self, path: str, content: bytes, /, **query: str) -> None:
        """Send something to be in the place of what is there."""
        await self._ask("PUT", path, params=query, content=content)

    async def send(self, path: str, content: bytes, /, **query: str) -> None:
        """Send something to be made something of."""
        await self._ask("POST", path, params=query, content=content)

    async def delete(self, path: str, /, **query: str) -> None:
        """Have something removed; it may be gone already."""
        try:
            await self._ask("DELETE", path, params=query)
        except EngineError as error:
            if error.status != 404:
                raise

    @asynccontextmanager
    async def streamed(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, /, **query: str
    ) -> AsyncIterator[httpx.Response]:
        """An answer that is read bit by bit, for as long as it comes."""
        try:
            async with self._client.stream(
                method, path, params=query, headers=headers, timeout=httpx.Timeout(None, connect=PATIENCE)
            ) as response:
                if response.is_error:
                    await response.aread()
                _check(response)
                yield response
        except httpx.TransportError as error:
            raise _silence(error) from error

    @asynccontextmanager
    async def attached(
        self, container: str
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection to the standard input of a container; where that ends is for the caller to say."""
        try:
            reader, writer = await (
                asyncio.open_unix_connection(self._socket)
                if self._socket
                else asyncio.open_connection(*self._address)
            )
        except OSError as error:
            raise _silence(error) from error
        try:
            path = f"/{VERSION}/containers/{container}/attach?stream=1&stdin=1"
            fields = "Host: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n"
            writer.write(f"POST {path} HTTP/1.1\r\n{fields}\r\n".encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
            if head.split(b" ", 2)[1] != b"101":
                raise EngineError(0, "the standard input of the container cannot be reached")
            yield reader, writer
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError) as error:
            raise _silence(error) from error
        finally:
            writer.close()

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = await self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise _silence(error) from error
        _check(response)
        return response


@asynccontextmanager
async def engine_at(host: str) -> AsyncIterator[Engine]:
    """A client that is closed afterwards."""
    engine = Engine(host)
    try:
        yield engine
    finally:
        await engine.close()


def filters(**wanted: list[str]) -> str:
    """The query parameter `filters` of a list."""
    return json.dumps(wanted)


def segment(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


def _check(response: httpx.Response) -> None:
    if not response.is_error:
        return
    try:
        message = str(response.json()["message"])
    except (ValueError, LookupError, TypeError):
        message = response.reason_phrase
    raise EngineError(response.status_code, message.strip()[:1000])


def _silence(error: Exception) -> EngineError:
    return EngineError(0, f"it cannot be reached: {error or type(error).__name__}")
