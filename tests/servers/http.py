"""A small real HTTP server on loopback that answers as it is told: also late, bit by bit, or with rubbish.

with running() as server:
    server.answer("/orders", json_reply({"orders": []}))
    httpx.get(f"{server.url}/orders")
    server.requests[0].headers["idempotency-key"]
"""

import asyncio
import gzip
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlsplit

from pydantic import JsonValue

from tests.servers.ports import free_port

STOP_LIMIT = 10.0  # seconds


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    target: str
    headers: Mapping[str, str]  #: Names in lower case.
    body: bytes
    has_certificate: bool = False  #: Whether the client showed one.

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def json(self) -> JsonValue:
        value: JsonValue = json.loads(self.body)
        return value


@dataclass(frozen=True)
class Reply:
    """What the server answers, and how."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0  #: Seconds before the first byte.
    drip: float = 0.0  #: Seconds between any two bytes of the body, or of `raw`.
    cut: int | None = None  #: The connection breaks after so many bytes of the body.
    raw: bytes | None = None  #: Sent instead of a response.
    is_silent: bool = False  #: Nothing is sent until the client leaves.
    is_endless: bool = False  #: The body is sent in chunks, again and again, until the client leaves.


def json_reply(value: JsonValue, status: int = 200, **headers: str) -> Reply:
    return Reply(status, json.dumps(value).encode(), {"content-type": "application/json", **headers})


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(status, headers={"location": location})


def gzipped(body: bytes, content_type: str = "text/plain") -> Reply:
    return Reply(200, gzip.compress(body), {"content-encoding": "gzip", "content-type": content_type})


Handler = Callable[[Request], Reply]


class Server:
    """The server's address, what it was asked, and what it is to answer."""

    def __init__(self, port: int, scheme: str, handler: Handler | None) -> None:
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.requests: list[Request] = []
        self.busy = self.most_busy = 0  #: Requests under way now, and at the most.
        self.departures = 0  #: Clients that left before they had the whole answer.
        self._handler = handler
        self._replies: dict[str, list[Reply]] = {}
        self._changed = threading.Condition()

    def answer(self, path: str, *replies: Reply) -> None:
        """Answer requests for a path with these in turn; the last one again and again."""
        self._replies[path] = list(replies)

    def wait_for(self, fact: Callable[[], bool], limit: float = 10.0) -> None:
        """Return once the fact holds; it is looked at after each request and each departure."""
        with self._changed:
            assert self._changed.wait_for(fact, limit), f"not within {limit} s; requests: {self.requests}"

    def reply_to(self, request: Request) -> Reply:
        """Record the request and choose its answer."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            replies = self._replies.get(request.path)
            if not replies:
                return self._handler(request) if self._handler else json_reply({"error": "no such path"}, 404)
            return replies.pop(0) if len(replies) > 1 else replies[0]

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Count a request while it is under way."""
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        try:
            yield
        finally:
            self.busy -= 1

    def note_departure(self) -> None:
        with self._changed:
            self.departures += 1
            self._changed.notify_all()


@contextmanager
def running(
    handler: Handler | None = None, *, port: int | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """A server that answers; with `port`, one that was away can come back where it was."""
    server = Server(port or free_port(), "https" if tls else "http", handler)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="http-server", daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(_listen(server, tls), loop).result(STOP_LIMIT)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_stop(listening), loop).result(STOP_LIMIT)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(STOP_LIMIT)
        loop.close()


async def _listen(server: Server, tls: ssl.SSLContext | None) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await _exchange(server, reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            server.note_departure()
        finally:
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", server.port, ssl=tls)


async def _stop(listening: asyncio.Server) -> None:
    listening.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _exchange(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether another request may follow on the same connection."""
    request = await _read(reader)
    if request is None:
        return False
    request = replace(request, has_certificate=bool(writer.get_extra_info("peercert")))
    reply = server.reply_to(request)
    with server.serving():
        return await _answer(reader, writer, request, reply)


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request, reply: Reply
) -> bool:
    if reply.is_silent or reply.delay:
        await _leaving(reader, None if reply.is_silent else reply.delay)
    if reply.raw is not None:
        await _drip(writer, reply.raw, reply.drip)
        return False
    if reply.is_endless:
        await _write_for_ever(writer, reply)
    await _write(writer, request, reply)
    return reply.cut is None


async def _read(reader: asyncio.StreamReader) -> Request | None:
    first = await reader.read(1)
    if not first.isalpha():  # The client has left, or speaks TLS.
        return None
    method, target, _ = (first + await reader.readline()).decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := (await reader.readline()).decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body)


async def _leaving(reader: asyncio.StreamReader, limit: float | None) -> None:
    """Return after the limit; raises ConnectionError when the client leaves before it."""
    try:
        await asyncio.wait_for(reader.read(1), limit)
    except TimeoutError:
        return
    raise ConnectionError("the client left")


async def _write(writer: asyncio.StreamWriter, request: Request, reply: Reply) -> None:
    headers = {"content-length": str(len(reply.body)), "date": _now(), **reply.headers}
    head = [f"HTTP/1.1 {reply.status} Some Reason", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*head, "", ""]).encode("latin-1"))
    body = b"" if request.method == "HEAD" else reply.body[: reply.cut]
    await _drip(writer, body, reply.drip)


async def _drip(writer: asyncio.StreamWriter, content: bytes, pause: float) -> None:
    """Write the content, with a pause after each byte if there is to be any."""
    for piece in [content[at : at + 1] for at in range(len(content))] if pause else [content]:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


async def _write_for_ever(writer: asyncio.StreamWriter, reply: Reply) -> None:
    writer.write(f"HTTP/1.1 {reply.status} Some Reason\r\ntransfer-encoding: chunked\r\n\r\n".encode())
    while True:
        writer.write(b"%x\r\n%b\r\n" % (len(reply.body), reply.body))
        await writer.drain()


def _now() -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
