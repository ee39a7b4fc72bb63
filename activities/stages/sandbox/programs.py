"""Where the interpreters are that came with this installation, and no others."""

import os
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cronny.errors import CronnyError


@dataclass(frozen=True)
class Program:
    """An interpreter, held open: a process that has given up its user may not be able to reach its folder."""

    path: str
    file: int

    @property
    def command(self) -> str:
        """What executes it."""
        return f"/proc/self/fd/{self.file}" if sys.platform == "linux" else self.path


class ProgramMissing(CronnyError):
    """An interpreter for tenants' code is missing; install Cronny again, with its dependencies."""


def find_programs() -> Mapping[str, str]:
    """The paths of `monty` and `deno`; raises ProgramMissing."""
    return {name: str(_find(name)) for name in ("monty", "deno")}


def opened(path: str) -> Program:
    """The program, open also in the processes that this one starts."""
    file = os.open(path, os.O_PATH if sys.platform == "linux" else os.O_RDONLY)
    os.set_inheritable(file, True)
    return Program(path, file)


def _find(name: str) -> Path:
    # Not by the PATH, which may lead to another version, or to somebody else's program.
    for folder in (sysconfig.get_path("scripts"), Path(sys.executable).parent):
        if (path := Path(folder, name)).is_file():
            return path
    raise ProgramMissing(f"{name} is not installed beside {sys.executable}; install Cronny again")
