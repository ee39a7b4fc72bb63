"""The real command, run as people run it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND = Path(sys.executable).with_name("cronny")
LIMIT = 60.0  # seconds for one command


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str


def run_cronny(
    *arguments: str | Path,
    stdin: str | bytes = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Ran:
    """Run `cronny` to its end, without this process's settings."""
    content = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        [COMMAND, *arguments],
        input=content,
        capture_output=True,
        cwd=cwd,
        env=plain_environment() | dict(env or {}),
        timeout=LIMIT,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def plain_environment() -> dict[str, str]:
    """The environment without settings of Cronny."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CRONNY_")}
