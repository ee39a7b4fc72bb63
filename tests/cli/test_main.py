"""The command line as a whole: names, help, exit codes."""

import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest
from typer.main import get_command

from cronny.cli import main
from cronny.cli.main import COMMANDS, run
from cronny.errors import CronnyError

HEAVY = {"temporalio", "sqlalchemy", "httpx", "cel_expr_python", "asyncpg"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_is_its_own(name: str) -> None:
    module, summary = COMMANDS[name]
    described = get_command(import_module(module).app).help or ""
    assert described.splitlines()[0] == summary


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    words = capsys.readouterr().out.split()
    assert [name for name in COMMANDS if name not in words] == []


def test_next_imports_nothing_heavy() -> None:
    program = f"import sys, cronny.cli.main, cronny.cli.next; print(sorted({HEAVY} & sys.modules.keys()))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert (run(["--version"]), capsys.readouterr().out) == (0, "cronny 0.1.0\n")


@pytest.mark.parametrize("arguments", [["nope"], ["up", "--nope"], ["next"], ["actions", "nope"]])
def test_wrong_usage_is_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr().err.startswith("cronny: ")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (CronnyError("two\nlines"), 1, "cronny: two lines\n"),
        (ValueError("odd"), 1, "cronny: unexpected ValueError: odd (CRONNY_TRACEBACK=1 shows where)\n"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_every_end_has_its_code(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(main, "app", fail)
    assert (run([]), capsys.readouterr().err) == (code, said)
