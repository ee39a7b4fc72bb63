import asyncio
import gzip
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.stages.body import body_value
from activities.stages.http import HTTP
from cronny.egress import EgressPolicy
from tests.servers.http import Reply, Server, gzipped
from tests.servers.ports import free_port
from tests.stages.contexts import brief, failure, run

SOON = timedelta(milliseconds=200)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(is_silent=True),
        Reply(body=b"x" * 1000, drip=0.01),
        Reply(raw=b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1000, drip=0.01),
        Reply(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, drip=0.01),
        Reply(body=b"x", is_endless=True),
        Reply(raw=b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", delay=60),
    ],
    ids=["silent", "dripping", "dripping header", "only continue", "endless", "late"],
)
async def test_the_time_limit_covers_the_whole_exchange(server: Server, reply: Reply) -> None:
    server.answer("/", reply)
    error = await failure(HTTP, {"url": server.url}, timeout=SOON)
    assert brief(error) == ("timeout", "127.0.0.1 did not answer in time", True)


async def test_redirects_share_one_time_limit(server: Server) -> None:
    server.answer("/", Reply(302, headers={"location": "/"}, delay=0.05))
    error = await failure(HTTP, {"url": server.url, "follow_redirects": True}, timeout=SOON)
    assert error.code == "timeout"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(raw=b""),
        Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n"),
        Reply(raw=b"\x00\xff" * 5000),
        Reply(raw=b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000),
        Reply(raw=b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n"),
        Reply(body=b"half of it", cut=4),
    ],
    ids=["nothing", "ssh", "noise", "header", "headers", "length", "chunk", "cut"],
)
async def test_rubbish_is_a_connection_error(server: Server, reply: Reply) -> None:
    server.answer("/", reply)
    error = await failure(HTTP, {"url": server.url})
    assert (error.code, error.retryable) == ("connection", True)
    assert len(error.message) < 300


async def test_a_closed_port_is_a_connection_error() -> None:
    error = await failure(HTTP, {"url": f"http://127.0.0.1:{free_port()}"})
    assert (error.code, error.retryable) == ("connection", True)


@pytest.mark.parametrize("host", ["nobody.invalid", "a..b", "x" * 64 + ".example"])
async def test_a_name_without_an_address_is_a_dns_error(host: str) -> None:
    error = await failure(HTTP, {"url": f"http://{host}/"})
    assert brief(error) == ("dns", f"{host}: the name has no address", True)


async def test_a_closed_address_is_denied(server: Server) -> None:
    error = await failure(HTTP, {"url": server.url}, egress=EgressPolicy())
    assert (error.code, error.retryable, server.requests) == ("egress_denied", False, [])


async def test_a_cancelled_stage_leaves_the_server(server: Server) -> None:
    server.answer("/", Reply(is_silent=True))
    running = asyncio.create_task(run(HTTP, {"url": server.url}))
    await asyncio.to_thread(server.wait_for, lambda: len(server.requests) == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.to_thread(server.wait_for, lambda: server.departures == 1)


@pytest.mark.parametrize("size", [100, 101])
async def test_a_body_up_to_the_limit_is_read(server: Server, size: int) -> None:
    server.answer("/", Reply(body=b"x" * size))
    fields = {"url": server.url, "max_bytes": 100}
    if size > 100:
        error = await failure(HTTP, fields)
        assert brief(error) == ("validation", "the response is larger than 100 bytes", False)
    else:
        assert (await run(HTTP, fields))["body"] == "x" * size


async def test_a_body_without_end_is_refused(server: Server) -> None:
    server.answer("/", Reply(body=b"x" * 10_000, is_endless=True))
    error = await failure(HTTP, {"url": server.url, "max_bytes": 500_000})
    assert brief(error) == ("validation", "the response is larger than 500000 bytes", False)


async def test_gzip_is_read(server: Server) -> None:
    server.answer("/", gzipped(b"text"))
    assert (await run(HTTP, {"url": server.url}))["body"] == "text"
    assert server.requests[0].headers["accept-encoding"] == "gzip"


async def test_all_members_of_gzip_data_are_read(server: Server) -> None:
    parts = gzip.compress(b"one, ") + gzip.compress(b"two")
    server.answer("/", Reply(body=parts, headers={"content-encoding": "gzip"}))
    assert (await run(HTTP, {"url": server.url}))["body"] == "one, two"


async def test_a_bomb_is_refused_before_it_is_unpacked(server: Server) -> None:
    server.answer("/", gzipped(bytes(200_000_000)))
    error = await failure(HTTP, {"url": server.url, "max_bytes": 1_000_000})
    assert brief(error) == ("validation", "the response is larger than 1000000 bytes", False)


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (b"plain", "gzip", "the response is not the gzip data it says it is"),
        (gzip.compress(b"x" * 100)[:-5], "gzip", "the response ends in the middle of its gzip data"),
        (gzip.compress(b"x") + b"rest", "gzip", "the response is not the gzip data it says it is"),
        (b"x", "br", "the response is encoded as 'br'; only gzip is read"),
        (b"x", "gzip, gzip", "the response is encoded as 'gzip, gzip'; only gzip is read"),
    ],
)
async def test_encodings_that_are_wrong(server: Server, body: bytes, encoding: str, message: str) -> None:
    server.answer("/", Reply(body=body, headers={"content-encoding": encoding}))
    assert brief(await failure(HTTP, {"url": server.url})) == ("validation", message, False)


@pytest.mark.parametrize(
    ("content", "content_type", "charset", "value"),
    [
        (b"", "application/json", "utf-8", None),
        (b'{"a": 1.5}', "application/json", "utf-8", {"a": 1.5}),
        (b'\xef\xbb\xbf{"a": 1}', "application/json", "utf-8", {"a": 1}),
        (b"[1]", "application/problem+json", "utf-8", [1]),
        (b"[1]", "text/html", "utf-8", "[1]"),
        (b"{nope", "application/json", "utf-8", "{nope"),
        (b"1e999", "application/json", "utf-8", "1e999"),
        (b"NaN", "application/json", "utf-8", "NaN"),
        (b"9" * 5000, "application/json", "utf-8", "9" * 5000),
        (b"[" * 100_000, "application/json", "utf-8", "[" * 100_000),
        (b'"\\ud800"', "application/json", "utf-8", '"\\ud800"'),
        (b"\xe4", "text/plain", "latin-1", "ä"),
        (b"\xff\x00", "image/png", "utf-8", {"base64": "/wA="}),
        ("ä".encode(), "text/plain", "idna", "ä"),
        ("ä".encode(), "text/plain", "iso-8859-99", "ä"),
        ("ä".encode(), "text/plain", "utf-8le", "ä"),
        ("ä".encode(), "text/plain", "windows-1259", "ä"),
    ],
)
def test_body_values(content: bytes, content_type: str, charset: str, value: object) -> None:
    assert body_value(content, content_type, charset) == value


@settings(max_examples=300)
@given(
    st.binary(max_size=200),
    st.sampled_from(["application/json", "text/plain", ""]),
    st.from_regex(r"(utf|iso-8859|windows|koi8|euc|gb|big|latin|ascii)[-_0-9a-z]{0,8}", fullmatch=True),
)
def test_any_body_has_a_value(content: bytes, content_type: str, charset: str) -> None:
    value = body_value(content, content_type, charset)
    assert (value is None) == (not content or (content == b"null" and content_type == "application/json"))
