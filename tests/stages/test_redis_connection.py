import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import ValidationError

from activities.stages.redis import REDIS
from activities.stages.redis_connection import RedisConnection
from cronny.egress import EgressPolicy
from tests.servers import redis
from tests.servers.certificates import self_signed
from tests.servers.ports import free_port
from tests.stages.contexts import brief, failure, run
from tests.stages.test_postgres_connection import passing_on

PING = {"command": ["PING"]}
SET = {"command": ["SET", "k", "v"]}
OTHER = self_signed()


@pytest.fixture(scope="module")
def server() -> Iterator[redis.Server]:
    with redis.running() as server:
        yield server


@pytest.fixture(scope="module")
def strict() -> Iterator[redis.Server]:
    """A server that wants a certificate of its clients."""
    with redis.running(needs_certificate=True) as server:
        yield server


@pytest.mark.parametrize(
    "change",
    [{}, {"host": "localhost"}, {"tls": "require", "ca_certificate": None}],
    ids=["address", "name", "any certificate"],
)
async def test_the_connection_is_encrypted_as_asked(server: redis.Server, change: dict[str, object]) -> None:
    assert await run(REDIS, PING, {**server.secure, **change}) == {"result": "PONG"}


async def test_the_certificate_may_have_another_name_that_is_given(server: redis.Server) -> None:
    async with passing_on(f"x:{server.tls_port}", "127.0.0.2") as port:
        there = {**server.secure, "host": "127.0.0.2", "port": port}
        error = await failure(REDIS, PING, there)
        assert (error.code, error.retryable, "127.0.0.2" in error.message) == ("tls", False, True)
        assert await run(REDIS, PING, {**there, "server_name": "localhost"}) == {"result": "PONG"}


async def test_a_certificate_is_shown_to_a_server_that_wants_one(strict: redis.Server) -> None:
    own = {"client_certificate": strict.certificate.certificate, "client_key": strict.certificate.key}
    assert await run(REDIS, PING, {**strict.secure, **own}) == {"result": "PONG"}
    # The server's word on it and the end of the connection come at once; either may be seen first.
    assert (await failure(REDIS, PING, strict.secure)).code in {"tls", "connection"}


def _encrypted(key: str) -> str:
    plain = serialization.load_pem_private_key(key.encode(), None)
    cipher = serialization.BestAvailableEncryption(b"pass")
    form = serialization.PrivateFormat.PKCS8
    return plain.private_bytes(serialization.Encoding.PEM, form, cipher).decode()


@pytest.mark.parametrize(
    "key", ["x", "", OTHER.key, _encrypted(OTHER.key)], ids=["x", "none", "other", "locked"]
)
async def test_a_certificate_without_its_key_is_refused(strict: redis.Server, key: str) -> None:
    own = {"client_certificate": strict.certificate.certificate, "client_key": key}
    error = await failure(REDIS, PING, {**strict.secure, **own})
    assert (error.code, "client_key" in error.message, error.retryable) == ("validation", True, False)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"password": "wrong"}, "auth", None),
        ({"password": None}, "auth", "PING: NOAUTH Authentication required.; give the connection a password"),
        ({"user": "nobody"}, "auth", None),
        ({"database": 99}, "redis.err", "SELECT: ERR DB index is out of range"),
        (
            {"tls": "verify", "ca_certificate": "x"},
            "validation",
            "ca_certificate is not a certificate in PEM",
        ),
        ({"host": "nobody.invalid"}, "dns", "nobody.invalid: the name has no address"),
        ({"host": "169.254.169.254"}, "egress_denied", None),
        ({"host": "/tmp/redis.sock"}, "egress_denied", None),
        ({"host": ""}, "egress_denied", None),
    ],
)
async def test_what_keeps_a_stage_from_connecting(
    server: redis.Server, change: dict[str, object], code: str, message: str | None
) -> None:
    error = await failure(REDIS, PING, {**server.settings, **change})
    assert (error.code, error.retryable) == (code, code == "dns")
    assert message is None or error.message == message
    assert redis.PASSWORD not in f"{error!r} {error.details}"


async def test_a_server_without_tls_is_said_so(server: redis.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.stages.redis_connection.HANDSHAKE_TIMEOUT", 0.2)
    error = await failure(REDIS, PING, {**server.settings, "tls": "verify"})
    message = "127.0.0.1 does not answer in TLS; if it offers none, `tls: disable` goes without"
    assert brief(error) == ("tls", message, True)


async def test_an_unknown_authority_is_refused(server: redis.Server) -> None:
    error = await failure(REDIS, PING, {**server.secure, "ca_certificate": None})
    assert brief(error) == ("tls", "127.0.0.1: self-signed certificate", False)


@pytest.mark.parametrize(
    ("command", "code"),
    [(["GET", "seen:1"], None), (["GET", "other"], "auth"), (["SET", "seen:1", 1], "auth")],
)
async def test_users_may_do_what_the_server_lets_them(
    server: redis.Server, command: list[object], code: str | None
) -> None:
    reader = {**server.settings, "user": "reader"}
    if code is None:
        assert await run(REDIS, {"command": command}, reader) == {"result": None}
    else:
        error = await failure(REDIS, {"command": command}, reader)
        assert (error.code, error.retryable, "NOPERM" in error.message) == (code, False, True)


async def test_a_connection_is_for_one_database(server: redis.Server) -> None:
    await run(REDIS, SET, {**server.settings, "database": 3})
    assert (await run(REDIS, {"command": ["GET", "k"]}, server.settings))["result"] is None
    with server.client(3) as client:
        assert client.get("k") == "v"


async def test_no_connection_is_left(server: redis.Server) -> None:
    await run(REDIS, {"commands": [["SET", "k", 1], ["GET", "k"]], "atomic": True}, server.settings)
    await failure(REDIS, {"command": ["LPUSH", "k", 1]}, server.settings)
    with server.client() as client:
        while len(clients := await asyncio.to_thread(client.client_list)) > 1:
            pass
        assert [each["cmd"] for each in clients] == ["client|list"]


async def test_loopback_is_closed_unless_it_is_allowed(server: redis.Server) -> None:
    error = await failure(REDIS, PING, server.settings, egress=EgressPolicy())
    assert (error.code, error.retryable) == ("egress_denied", False)


async def test_a_closed_port_is_a_connection_error(server: redis.Server) -> None:
    error = await failure(REDIS, PING, {**server.settings, "port": free_port()})
    assert (error.code, error.retryable) == ("connection", True)


async def test_a_full_server_is_worth_another_attempt(server: redis.Server) -> None:
    with server.client() as client:
        client.config_set("maxmemory", 1)
        error = await failure(REDIS, SET, server.settings)
        client.config_set("maxmemory", 0)
    assert (error.code, error.retryable) == ("redis.oom", True)


async def test_a_replica_says_that_it_is_one() -> None:
    with redis.running() as server, server.client() as client:
        client.replicaof("127.0.0.1", str(free_port()))
        error = await failure(REDIS, SET, server.settings)
    assert (error.code, error.retryable) == ("redis.readonly", True)
    assert error.message.endswith("this server is a replica; connect to the one it follows")


def _in_cluster() -> tuple[str, ...]:
    return ("--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--requirepass", "")


async def test_a_cluster_is_told_from_a_server() -> None:
    with redis.running(*_in_cluster()) as first, redis.running(*_in_cluster()) as second:
        with first.client() as one, second.client() as other:
            await asyncio.wait_for(asyncio.to_thread(_join, one, other, first), 30)
        moved = await failure(REDIS, SET, second.settings)
        apart = await failure(REDIS, {"command": ["MSET", "a", 1, "b", 2]}, first.settings)
    assert (moved.code, moved.retryable) == ("redis.moved", False)
    assert (apart.code, apart.retryable) == ("redis.crossslot", False)
    assert "clusters are not supported" in moved.message


def _join(one: Any, other: Any, first: redis.Server) -> None:
    bus = one.config_get("cluster-port")["cluster-port"]
    one.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    other.execute_command("CLUSTER", "MEET", "127.0.0.1", first.port, bus)
    for client in (one, other):
        while "cluster_state:ok" not in str(client.execute_command("CLUSTER", "INFO")):
            pass


@asynccontextmanager
async def saying(answer: bytes | None) -> AsyncIterator[int]:
    """The port of something that answers this to whatever comes, or nothing at all."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if answer is not None:
            writer.write(answer)
            await writer.drain()
            writer.close()
        while await reader.read(65536):
            pass
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def _there(port: int) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": port, "tls": "disable"}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff" * 100_000,
        b"$5\r\nhal",
        b":x\r\n",
        b"*2\r\n+a\r\n",
        b"*1\r\n" * 5000,
        b"$",
        b"+no end",
    ],
)
async def test_what_is_no_redis_is_a_connection_error(answer: bytes) -> None:
    async with saying(answer) as port:
        error = await failure(REDIS, PING, _there(port))
    assert (error.code, error.retryable) == ("connection", True)


@pytest.mark.parametrize(
    "answer", [b"$99999999999\r\n", b"+" + b"x" * 5000 + b"\r\n", b"*999\r\n" + b":1\r\n" * 999]
)
async def test_an_answer_is_not_read_beyond_its_limit(answer: bytes) -> None:
    async with saying(answer) as port:
        error = await failure(REDIS, {**PING, "max_bytes": 1000}, _there(port))
    assert (error.code, error.message[:38]) == ("validation", "the answer is larger than max_bytes: 1")


@pytest.mark.parametrize(
    ("answer", "code", "retryable"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "redis.loading", True),
        (b"-MASTERDOWN Link with MASTER is down\r\n", "redis.masterdown", True),
        (b"-ASK 1 10.0.0.1:6379\r\n", "redis.ask", False),
        (b"-DENIED Redis is running in protected mode\r\n", "auth", False),
        (b"-\r\n", "redis.err", False),
        (b"-\xff \xff\r\n", "redis.err", False),
    ],
)
async def test_errors_have_the_code_of_the_server(answer: bytes, code: str, retryable: bool) -> None:
    async with saying(answer) as port:
        error = await failure(REDIS, PING, _there(port))
    assert (error.code, error.retryable) == (code, retryable)


async def test_a_password_for_a_server_without_one_is_an_auth_error() -> None:
    async with saying(b"-ERR AUTH <password> called without any password configured\r\n") as port:
        error = await failure(REDIS, PING, {**_there(port), "password": "pass word"})
    assert (error.code, error.message[:5], error.retryable) == ("auth", "AUTH:", False)


async def test_a_silent_server_is_left_at_the_time_limit() -> None:
    async with saying(None) as port:
        error = await failure(REDIS, PING, _there(port), timeout=timedelta(milliseconds=200))
    assert brief(error) == ("timeout", "127.0.0.1 did not answer in time", True)


async def test_a_cancelled_stage_leaves_the_server() -> None:
    came, left = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        came.set()
        with suppress(ConnectionError):
            await reader.read()
        left.set()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        stage = asyncio.create_task(run(REDIS, PING, _there(server.sockets[0].getsockname()[1])))
        await came.wait()
        stage.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stage
        await asyncio.wait_for(left.wait(), 10)


@pytest.mark.parametrize(
    "settings",
    [
        {"host": "h", "user": "u"},
        {"host": "h", "client_certificate": "c"},
        {"host": "h", "client_key": "k"},
        {"host": "h", "database": -1},
        {"host": "h", "url": "redis://h"},
    ],
)
def test_connections_that_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RedisConnection.model_validate(settings)
