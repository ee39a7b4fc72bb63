"""What a program in a container is given, and what its stage gives back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from activities.stages.docker import DOCKER
from tests.servers.docker import Engine
from tests.stages.contexts import brief, failure
from tests.stages.docker_stage import SERVING, context_of, kind_at, said, script, sh, sh_failure

SECRETS = {"secrets": {"token": "s3cret-0123", "other": "0ther-4567"}}


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("true", None),
        ("echo '{\"rows\": 3}' > $CRONNY_OUTPUT", {"rows": 3}),
        ("echo done > /cronny/output", "done"),
        (
            "printf '\\377' > /cronny/output 2>/dev/null || echo -ne '\\xff' > /cronny/output",
            {"base64": "/w=="},
        ),
        ("echo '[1' > /cronny/output; echo ', 2]' >> /cronny/output", [1, 2]),
    ],
)
async def test_the_output_is_what_the_file_holds(engine: Engine, text: str, output: object) -> None:
    assert (await sh(engine, text, output_file=True))["output"] == output


async def test_the_output_may_be_replaced_as_a_whole(engine: Engine) -> None:
    text = "cd /cronny; echo 1 > output; echo 2 > new; mv new output"
    assert (await sh(engine, text, output_file=True, user="app"))["output"] == 2


async def test_without_output_file_there_is_no_place_for_it(engine: Engine) -> None:
    assert await said(engine, "echo ${CRONNY_OUTPUT-unset}; ls -d /cronny || echo none") == "unset\nnone"


async def test_a_stage_leaves_nothing_on_the_engine(engine: Engine) -> None:
    await sh(engine, "cat", SECRETS, stdin="x", secret_files=["token"], output_file=True)
    assert engine.left() == []


@pytest.mark.parametrize(
    ("mode", "text", "stdout"),
    [
        ("log", "echo hello", None),
        ("text", "echo hello; echo aside >&2", "hello\n"),
        ("json", "echo '{\"a\": [1]}'", {"a": [1]}),
        ("json", "echo '\"text\"'", "text"),
    ],
)
async def test_the_standard_output_is_kept_as_asked(
    engine: Engine, mode: str, text: str, stdout: object
) -> None:
    assert (await sh(engine, text, stdout=mode))["stdout"] == stdout


@pytest.mark.parametrize(
    ("fields", "text", "expected"),
    [
        ({"env": {"A": "x y", "N": 3, "B": True}}, "echo $A,$N,$B", "x y,3,true"),
        ({}, "echo $CRONNY_IDEMPOTENCY_KEY $CRONNY_ATTEMPT", "trg_1/fetch 1"),
        ({"working_dir": "/tmp"}, "pwd", "/tmp"),
        ({"user": "app"}, "id -u; id -g", "1000\n1000"),
        ({"user": "7:8"}, "id -u; id -g", "7\n8"),
        ({"stdin": "one\ntwo"}, "cat", "one\ntwo"),
        ({"stdin": {"a": [1, None]}}, "cat", '{"a": [1, null]}'),
        ({"entrypoint": ["echo", "in front"], "command": ["behind"]}, "", "in front behind"),
        ({"command": ["echo", "$A; id", "`id`"]}, "", "$A; id `id`"),
    ],
)
async def test_the_program_is_given_what_the_stage_says(
    engine: Engine, fields: dict[str, Any], text: str, expected: str
) -> None:
    assert await said(engine, **{"text": text, **fields}) == expected


async def test_a_large_standard_input_arrives_whole(engine: Engine) -> None:
    assert await said(engine, "wc -c", stdin="x" * 3_000_000) == "3000000"


async def test_a_program_may_leave_its_standard_input_unread(engine: Engine) -> None:
    assert await said(engine, "echo done", stdin="x" * 3_000_000) == "done"


async def test_a_secret_is_in_the_variable_that_asks_for_it(engine: Engine) -> None:
    text = await said(
        engine, "echo $TOKEN; env | grep -c 0ther", SECRETS, secret_env={"TOKEN": "token"}, expect_exit=1
    )
    assert text == "s3cret-0123\n0"


async def test_a_secret_is_in_a_file_that_anybody_in_the_container_may_read(engine: Engine) -> None:
    fields = {"secret_files": ["token", "other"], "user": "app"}
    text = await said(
        engine, "cd /run/secrets; for each in *; do echo $each $(cat $each); done", SECRETS, **fields
    )
    assert text == "other 0ther-4567\ntoken s3cret-0123"


async def test_a_secret_file_is_in_no_configuration_and_on_no_disk(engine: Engine) -> None:
    await kind_at(engine).run(context_of(engine, "mount | grep secrets", SECRETS, secret_files=["token"]))
    details = [engine.ask("GET", f"/containers/{each['Id']}/json") for each in engine.containers()]
    assert "s3cret-0123" not in repr((details, engine.volumes()))
    (volume,) = engine.volumes()
    assert f"tmpfs {volume['Mountpoint']} tmpfs" in await asyncio.to_thread(Path("/proc/mounts").read_text)


async def test_lines_reach_the_log_while_the_program_runs(engine: Engine) -> None:
    log: list[str] = []
    up = asyncio.Event()

    def note(line: str) -> None:
        log.append(line)
        up.set()

    running = asyncio.ensure_future(kind_at(engine).run(context_of(engine, SERVING, note=note)))
    async with asyncio.timeout(60):
        await up.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (log, engine.left()) == (["up"], [])


async def test_both_streams_are_logged_line_by_line(engine: Engine) -> None:
    log: list[str] = []
    await sh(engine, "echo one; echo two >&2; echo -n three", log=log)
    assert sorted(log) == ["one", "three", "two"]


async def test_a_log_that_never_ends_is_cut(engine: Engine) -> None:
    log: list[str] = []
    await sh(engine, "seq 100000", log=log)
    assert sum(len(line) + 1 for line in log) < 64 * 1024
    assert (log[0], log[-1]) == ("1", "the rest of the log is left out: it is too long")


async def test_a_timeout_ends_the_container(engine: Engine) -> None:
    log: list[str] = []
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3):
            await kind_at(engine).run(context_of(engine, SERVING, note=log.append))
    assert engine.left() == []


@pytest.mark.parametrize(
    ("text", "expected", "code"), [("exit 3", 3, 3), ("exit 3", [0, 3], 3), ("true", [0, 3], 0)]
)
async def test_an_expected_exit_code_is_no_failure(
    engine: Engine, text: str, expected: object, code: int
) -> None:
    assert (await sh(engine, text, expect_exit=expected))["exit_code"] == code


@pytest.mark.parametrize(
    ("text", "fields", "error"),
    [
        ("echo 'no such order' >&2; exit 3", {}, ("code.exit", "exit code 3: no such order", True)),
        ("true", {"expect_exit": 3}, ("code.exit", "exit code 0", True)),
        ("kill -9 $$; exec sh -c 'exit 137'", {}, ("code.exit", "exit code 137, ended by signal 9", True)),
        (
            "exec tail /dev/zero",
            {"memory": "16m"},
            ("code.memory", "the container had too little memory; give it more", False),
        ),
        ("echo no", {"stdout": "json"}, ("validation", "stdout is not JSON", False)),
        (
            "seq 1000",
            {"stdout": "text", "max_bytes": 100},
            ("validation", "stdout is larger than max_bytes: 100", False),
        ),
        (
            "seq 1000 > /cronny/output",
            {"output_file": True, "max_bytes": 100},
            ("validation", "/cronny/output is larger than max_bytes: 100", False),
        ),
    ],
)
async def test_a_failure_says_what_was_wrong(
    engine: Engine, text: str, fields: dict[str, Any], error: tuple[str, str, bool]
) -> None:
    assert brief(await sh_failure(engine, text, **fields)) == error


async def test_an_exit_code_is_among_the_details(engine: Engine) -> None:
    error = await sh_failure(engine, "echo one >&2; echo two >&2; exit 9")
    assert error.details == {"exit_code": 9, "stderr": "two"}


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"command": ["nosuch"]}, '"nosuch": executable file not found'),
        ({"user": "nobody"}, "unable to find user nobody"),
        ({"working_dir": "/bin/sh"}, "/bin/sh"),
    ],
)
async def test_a_container_that_cannot_start_says_why(
    engine: Engine, fields: dict[str, Any], part: str
) -> None:
    error = await sh_failure(engine, **{"text": "true", **fields})
    assert (error.code, part in error.message) == ("code.start", True), error.message


async def test_an_engine_that_is_away_is_an_error_that_may_pass() -> None:
    error = await failure(kind_at(Engine("unix:///nowhere/docker.sock", process=None)), script("true"))  # type: ignore[arg-type]
    assert (error.code, error.retryable) == ("connection", True)
    assert error.message.startswith("the Docker Engine: it cannot be reached")


async def test_without_an_engine_the_error_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    assert brief(await failure(DOCKER, script("true"))) == (
        "validation",
        "this installation has no Docker Engine; set CRONNY_DOCKER_HOST to unix:///… or tcp://host:port",
        False,
    )
