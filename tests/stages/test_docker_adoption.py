"""A container is found again by whoever executes its attempt next."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.stages import docker
from activities.stages.docker_plan import LABEL, name_of
from activities.stages.kind import Passage, StageError
from tests.e2e.tenant import until
from tests.servers.docker import Engine
from tests.stages.docker_stage import SERVING, context_of, kind_at

OWN = name_of("trg_1/fetch", 1)
GIVEN_UP = Passage(is_handed_over=lambda: True)
# Says that it is up, and ends once it was told to.
WAITING = "echo up; while ! test -e /tmp/go; do sleep 0.05; done; echo over; echo 5 > /cronny/output; exit 4"


async def left_running(engine: Engine, text: str, **fields: Any) -> None:
    """A worker starts the container and is shut down while the program runs."""
    up = asyncio.Event()
    context = context_of(engine, text, note=lambda _: up.set(), passage=GIVEN_UP, **fields)
    working = asyncio.ensure_future(kind_at(engine).run(context))
    async with asyncio.timeout(60):
        await up.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def taken_over(
    engine: Engine, text: str, note: Callable[[str], None] | None = None, **fields: Any
) -> Any:
    return await kind_at(engine).run(context_of(engine, text, note=note, **fields))


def let_go(engine: Engine) -> None:
    """Let the program end, as if it had what it waits for."""
    engine.execute(OWN, "touch", "/tmp/go")


async def test_a_running_container_is_followed_from_its_first_line(engine: Engine) -> None:
    await left_running(engine, WAITING, output_file=True)
    log: list[str] = []

    def note(line: str) -> None:
        log.append(line)
        if line == "up":
            let_go(engine)

    output = await taken_over(engine, WAITING, note, output_file=True, expect_exit=4)
    assert (output["exit_code"], output["output"]) == (4, 5)
    assert log == ["the container is there already; following it", "up", "over"]


async def test_a_container_that_ended_meanwhile_gives_its_output(engine: Engine) -> None:
    await left_running(engine, WAITING, output_file=True)
    let_go(engine)
    await asyncio.to_thread(engine.ask, "POST", f"/containers/{OWN}/wait")
    output = await taken_over(engine, WAITING, output_file=True, expect_exit=4, stdout="text")
    assert (output["exit_code"], output["output"], output["stdout"]) == (4, 5, "up\nover\n")


async def test_no_second_container_is_started(engine: Engine) -> None:
    await left_running(engine, WAITING, output_file=True)
    before = engine.inspected()["Id"]
    let_go(engine)
    await taken_over(engine, WAITING, output_file=True, expect_exit=4)
    assert engine.inspected()["Id"] == before


async def test_the_next_attempt_has_a_container_of_its_own(engine: Engine) -> None:
    await left_running(engine, SERVING)
    output = await taken_over(engine, "echo second", stdout="text", attempt=2)
    assert output["stdout"] == "second\n"
    assert [each["Names"] for each in engine.containers()] == [[f"/{name_of('trg_1/fetch', 2)}"]]


async def test_the_timeout_is_that_of_the_attempt_whoever_follows_it(engine: Engine) -> None:
    labels = {f"{LABEL}deadline": datetime(2026, 1, 1, tzinfo=UTC).isoformat()}
    body = {"Image": "box:1", "Cmd": ["sleep", "600"], "Labels": labels, "NetworkDisabled": True}
    engine.ask("POST", "/containers/create", params={"name": OWN}, json=body)
    engine.ask("POST", f"/containers/{OWN}/start")
    with pytest.raises(TimeoutError):
        await taken_over(engine, SERVING)
    assert engine.left() == []


async def test_a_container_that_nobody_came_to_start_is_made_anew(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker, "SETTING_UP", 0.0)
    body = {"Image": "box:1", "Cmd": ["false"], "Labels": {}}
    engine.ask("POST", "/containers/create", params={"name": OWN}, json=body)
    assert (await taken_over(engine, "true", output_file=True))["exit_code"] == 0


async def test_a_program_that_may_have_got_half_of_its_input_is_not_trusted(engine: Engine) -> None:
    await left_running(engine, f"{SERVING}; cat", stdin="x" * 3_000_000)
    with pytest.raises(StageError, match="the worker ended while it wrote") as caught:
        await taken_over(engine, f"{SERVING}; cat", stdin="x" * 3_000_000)
    assert caught.value.code == "code.lost"


async def test_a_program_that_got_all_of_its_input_is_followed(engine: Engine) -> None:
    text = "echo up; cat > /tmp/in; while ! test -e /tmp/go; do sleep 0.05; done; cat /tmp/in"
    await left_running(engine, text, stdin="all of it")
    await asyncio.to_thread(until, engine.left, lambda names: f"{OWN}-fed" in names)
    let_go(engine)
    output = await taken_over(engine, text, stdin="all of it", stdout="text")
    assert output["stdout"] == "up\nall of it"


async def test_a_container_that_somebody_removes_is_missed(engine: Engine) -> None:
    def note(line: str) -> None:
        engine.ask("DELETE", f"/containers/{OWN}", params={"force": "1"})

    with pytest.raises(StageError, match="removed by somebody else") as caught:
        await taken_over(engine, SERVING, note)
    assert (caught.value.code, caught.value.retryable) == ("code.lost", True)


@pytest.mark.parametrize("has_files", [False, True])
async def test_two_workers_at_once_start_one_container(engine: Engine, has_files: bool) -> None:
    text = "cat /etc/hostname; cat /etc/hostname > /cronny/output"
    fields: dict[str, Any] = {"stdout": "text", "output_file": has_files, "expect_exit": [0, 1]}
    first, second = await asyncio.gather(*[taken_over(engine, text, **fields) for _ in range(2)])
    assert first["stdout"] == second["stdout"] == f"{engine.inspected()['Id'][:12]}\n"
    assert (first["output"] is None, first["output"]) == (not has_files, second["output"])
