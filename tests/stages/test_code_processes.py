"""The kind `code`: its processes, which know nothing of ours, and end with the run, however it ends."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from pydantic import JsonValue

from activities.stages.kind import StageError
from activities.stages.sandbox.job import Job, Language
from activities.stages.sandbox.runs import MOST_RUNS, run_code
from activities.stages.sandbox.starting import COMMAND
from tests.stages.test_code import result

ROOT = Path(__file__).parents[2]
LOOPS: dict[Language, str] = {
    "python": "print('begun')\nwhile True:\n    pass",
    "javascript": "console.log('begun'); for (;;) await null",
}
languages = pytest.mark.parametrize("language", LOOPS)


def job(language: Language, seconds: float = 60) -> Job:
    return Job(language, LOOPS[language], {}, 32 << 20, seconds, 1000)


def nurseries() -> list[psutil.Process]:
    children = psutil.Process().children()
    alive = [child for child in children if is_alive(child.pid)]  # other tests leave zombies
    return [child for child in alive if child.cmdline()[-1:] == [COMMAND[-1]]]


def descendants() -> list[psutil.Process]:
    return [each for nursery in nurseries() for each in nursery.children(recursive=True)]


def status_of(process: psutil.Process) -> dict[str, str]:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def is_alive(pid: int) -> bool:
    """Whether a process is there that has not ended; it may end while it is looked at."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def gone(processes: list[psutil.Process]) -> None:
    """Wait until the processes have ended; there is no event for what is nobody's child."""
    async with asyncio.timeout(20):
        while any(is_alive(each.pid) for each in processes):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Running:
    """A run without end, and its processes."""

    def __init__(self, language: Language) -> None:
        self.begun = asyncio.Event()
        self.task = asyncio.create_task(run_code(job(language), lambda _: self.begun.set()))

    async def processes(self) -> list[psutil.Process]:
        await asyncio.wait_for(self.begun.wait(), 20)
        return descendants()


Start = Callable[[Language], Running]


@pytest_asyncio.fixture
async def running() -> AsyncIterator[Start]:
    runs: list[Running] = []

    def start(language: Language) -> Running:
        runs.append(Running(language))
        return runs[-1]

    yield start
    for each in runs:
        each.task.cancel()
    await asyncio.gather(*(each.task for each in runs), return_exceptions=True)
    await gone(descendants())


@languages
async def test_a_cancelled_run_leaves_no_process(language: Language, running: Start) -> None:
    run = running(language)
    processes = await run.processes()
    run.task.cancel()
    await gone(processes)
    assert len(processes) >= 2


@languages
async def test_a_run_that_timed_out_leaves_no_process(language: Language) -> None:
    await result(language, "1" if language == "python" else "return 1")
    with pytest.raises(StageError, match="took longer"):
        await run_code(job(language, seconds=0.3), lambda _: None)
    await gone(descendants())


@languages
async def test_a_run_that_succeeded_leaves_no_process(language: Language) -> None:
    await result(language, "1" if language == "python" else "return 1")
    await gone(descendants())


async def test_no_zombie_is_left() -> None:
    await asyncio.gather(*(result("python", "1") for _ in range(5)), result("javascript", "return 1"))
    async with asyncio.timeout(20):
        while descendants():  # noqa: ASYNC110 - a process is no event
            await asyncio.sleep(0.01)
    assert len(nurseries()) == 1


async def test_the_nursery_ends_with_its_worker_and_takes_the_runs_along() -> None:
    program = (
        "import asyncio, os\nfrom tests.stages.test_code_processes import *\n"
        "async def main():\n    processes = await Running('python').processes() + nurseries()\n"
        "    print(*(each.pid for each in processes), flush=True)\n    os._exit(1)\nasyncio.run(main())\n"
    )
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    output, _ = await worker.communicate()
    numbers = [int(number) for number in output.split()]
    assert len(numbers) == 3
    async with asyncio.timeout(20):
        while any(map(is_alive, numbers)):  # noqa: ASYNC110 - a process is no event
            await asyncio.sleep(0.01)


def test_a_system_without_a_wall_runs_code_and_says_what_is_missing() -> None:
    program = (
        "import asyncio, logging\nfrom activities.stages.sandbox import kernel, seccomp\n"
        "from tests.stages.test_code import result\n"
        "class Show(logging.Handler):\n"
        "    def emit(self, record):\n        print(*record.missing, sep='; ')\n"
        "logging.getLogger('activities.sandbox').addHandler(Show())\n"
        "kernel.renounce_privileges()\nseccomp.deny('unshare')\nseccomp.deny('landlock_create_ruleset')\n"
        "print(asyncio.run(result('typescript', 'const n: number = 1; return n')))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert ran.stdout.splitlines() == ["file rules (Landlock); network namespace", "1"]


@languages
async def test_an_interpreter_knows_nothing_of_ours(
    language: Language, running: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRONNY_SECRET_KEYS", "secret")
    processes = await running(language).processes()
    found = [variable for each in processes for variable in each.environ() if variable.startswith("CRONNY")]
    assert found == []
    assert {each.uids().real for each in processes}.isdisjoint({0}) or os.getuid() != 0


@languages
async def test_an_interpreter_holds_pipes_and_its_own_program(language: Language, running: Start) -> None:
    interpreter = (await running(language).processes())[-1]
    files = {
        os.readlink(f"/proc/{interpreter.pid}/fd/{file}")
        for file in os.listdir(f"/proc/{interpreter.pid}/fd")
    }
    program = interpreter.exe()
    others = {file for file in files if not file.startswith(("pipe:", "anon_inode:", "socket:"))}
    assert others <= {"/dev/null", program, f"/proc/{interpreter.pid}/maps"}


@languages
async def test_an_interpreter_cannot_be_given_privileges(language: Language, running: Start) -> None:
    interpreter = (await running(language).processes())[-1]
    status = status_of(interpreter)
    assert (status["NoNewPrivs"], status["Seccomp"], int(status["CapEff"], 16)) == ("1", "2", 0)


@languages
async def test_a_killed_interpreter_fails_its_run_only(language: Language, running: Start) -> None:
    run, other = running(language), running(language)
    await other.processes()
    interpreter = (await run.processes())[-1]
    interpreter.kill()
    ended, _ = await asyncio.wait({run.task, other.task}, return_when=asyncio.FIRST_COMPLETED)
    assert len(ended) == 1
    assert isinstance(ended.pop().exception(), StageError)


async def test_a_killed_keeper_fails_its_run_and_takes_the_interpreter_along(
    running: Start,
) -> None:
    run = running("python")
    keeper, interpreter = await run.processes()
    keeper.kill()
    with pytest.raises(StageError) as caught:
        await run.task
    assert (caught.value.code, caught.value.retryable) == ("code.crashed", True)
    await gone([interpreter])


async def test_a_killed_nursery_is_replaced() -> None:
    await result("python", "1")
    old = nurseries()
    old[0].kill()
    await gone(old)
    assert await result("python", "1") == 1
    assert [each.pid for each in nurseries()] != [each.pid for each in old]


async def test_only_so_many_runs_are_at_work_at_once() -> None:
    source = "console.log('begun'); await new Promise((go) => setTimeout(go, 50))"
    each = Job("javascript", source, {}, 32 << 20, 60, 1000)
    tasks: list[asyncio.Task[JsonValue]] = []
    seen: list[int] = []

    def begin(_: str) -> None:
        seen.append(len(seen) + 1 - sum(task.done() for task in tasks))

    tasks += [asyncio.create_task(run_code(each, begin, str(n % 3))) for n in range(3 * MOST_RUNS)]
    assert await asyncio.gather(*tasks) == [None] * len(tasks)
    assert 1 < max(seen) <= MOST_RUNS
