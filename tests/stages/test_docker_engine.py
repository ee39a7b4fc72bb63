"""What kind of Engine is taken, and how it is reached."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import JsonValue

from activities.stages.docker_engine import Engine as Client
from activities.stages.docker_engine import EngineError, engine_at
from activities.stages.docker_holder import holder_image
from activities.stages.docker_life import check_limits
from activities.stages.docker_log import STDERR, STDOUT, Frames, Sink
from activities.stages.docker_plan import name_of
from activities.stages.kind import StageError
from tests.servers import http
from tests.servers.docker import Engine
from tests.servers.http import json_reply
from tests.stages.contexts import run
from tests.stages.docker_stage import context_of, kind_at, script

ASKED: dict[str, JsonValue] = {"Memory": 2**28, "NanoCpus": 10**9, "PidsLimit": 128}


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await reader.read(65536):
        writer.write(part)
        await writer.drain()
    writer.write_eof()


@asynccontextmanager
async def over_tcp(engine: Engine, opened: list[asyncio.StreamWriter] | None = None) -> AsyncIterator[str]:
    """`tcp://…` of something in front of the Engine's socket; `opened` are its connections."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_engine, to_engine = await asyncio.open_unix_connection(engine.host.removeprefix("unix://"))
        if opened is not None:
            opened.append(writer)
        ways = _pipe(reader, to_engine), _pipe(from_engine, writer)
        await asyncio.gather(*ways, return_exceptions=True)
        to_engine.close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    try:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_an_engine_may_be_behind_tcp(engine: Engine) -> None:
    async with over_tcp(engine) as host:
        kind = kind_at(Engine(host, engine.process))
        output = await run(
            kind, script("cat; echo 7 > $CRONNY_OUTPUT", output_file=True, stdin="in", stdout="text")
        )
    assert (output["output"], output["stdout"]) == (7, "in")


async def test_a_log_is_followed_again_after_an_interruption(engine: Engine) -> None:
    log: list[str] = []
    opened: list[asyncio.StreamWriter] = []

    def note(line: str) -> None:
        log.append(line)
        if line == "up":
            for connection in opened:
                connection.transport.abort()
            engine.execute(name_of("trg_1/fetch", 1), "touch", "/tmp/go")

    text = "echo up; while ! test -e /tmp/go; do sleep 0.05; done; echo over"
    async with over_tcp(engine, opened) as host:
        front = Engine(host, engine.process)
        output: Any = await kind_at(front).run(context_of(front, text, note=note, stdout="text"))
    assert (log, output["stdout"]) == (["up", "over"], "up\nover\n")


async def test_what_an_engine_warns_of_may_not_be_a_limit() -> None:
    with http.running() as server:
        path = "/v1.41/containers/c/json"
        server.answer(path, json_reply({"HostConfig": {**ASKED, "Memory": 0, "PidsLimit": None}}))
        async with engine_at(server.url.replace("http", "tcp")) as client:
            with pytest.raises(StageError, match=r"cannot enforce Memory, PidsLimit$"):
                await check_limits(client, "c", ASKED)
            server.answer(path, json_reply({"HostConfig": ASKED}))
            await check_limits(client, "c", ASKED)


@pytest.mark.parametrize(
    ("reply", "status", "message"),
    [
        (json_reply({"message": "no such thing"}, 404), 404, "no such thing"),
        (http.Reply(500, b"<html>"), 500, "Some Reason"),
        (http.Reply(cut=0, body=b"x"), 0, "it cannot be reached"),
        (http.Reply(raw=b"rubbish\r\n\r\n"), 0, "it cannot be reached"),
    ],
)
async def test_what_goes_wrong_is_an_engine_error(reply: http.Reply, status: int, message: str) -> None:
    with http.running(lambda _: reply) as server:
        client = Client(server.url.replace("http", "tcp"))
        with pytest.raises(EngineError) as caught:
            await client.get("/info")
        await client.close()
    assert (caught.value.status, str(caught.value).partition(":")[0]) == (status, message)


@pytest.mark.parametrize("size", [1, 3, 8, 1000])
def test_pieces_are_found_in_whatever_chunks_come(size: int) -> None:
    stream = b"\1\0\0\0\0\0\0\3one\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\3two"
    frames = Frames()
    chunks = [stream[start : start + size] for start in range(0, len(stream), size)]
    found = [piece for chunk in chunks for piece in frames.read(chunk)]
    assert found == [(STDOUT, b"one"), (STDERR, b""), (STDOUT, b"two")]


def test_what_was_read_before_an_interruption_is_not_logged_twice() -> None:
    log: list[str] = []
    sink = Sink(log.append, keeps=100)
    sink.take(STDOUT, b"one\ntw")
    sink.rewind()
    for piece in (b"one\n", b"two\n", b"three"):
        sink.take(STDOUT, piece)
    sink.end()
    assert (log, bytes(sink.stdout)) == (["one", "two", "three"], b"one\ntwo\nthree")


def test_a_line_without_end_is_cut_and_takes_no_memory() -> None:
    log: list[str] = []
    sink = Sink(log.append, keeps=None)
    for _ in range(100):
        sink.take(STDERR, b"x" * 10_000)
    assert (len(log[0]), len(log), sink.is_full, len(sink.complaint)) == (16 * 1024, 4, True, 1000)


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_the_program_that_keeps_files_is_small(architecture: str) -> None:
    assert holder_image(architecture).count(b"\x7fELF") == 1


def test_there_is_no_such_program_for_other_machines() -> None:
    with pytest.raises(LookupError):
        holder_image("s390x")


def test_lines_that_an_earlier_worker_has_written_are_left_out_by_stream() -> None:
    log: list[str] = []
    errors: list[str] = []
    sink = Sink(log.append, keeps=100, errors=errors.append)
    sink.skip({"stdout": 2})
    sink.take(STDERR, b"oh\n")
    sink.take(STDOUT, b"one\ntwo\nthree\n")
    assert (log, errors, bytes(sink.stdout)) == (["three"], ["oh"], b"one\ntwo\nthree\n")
