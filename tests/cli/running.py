"""`cronny up` as a real process, on ports and in a folder of its own."""

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.cli.command import COMMAND, Ran, plain_environment, run_cronny
from tests.servers.ports import free_port

UP_LIMIT = 60.0  # seconds until everything answers
STOP_LIMIT = 10.0  # seconds in which Ctrl-C ends everything
LAST_LINE = "Ctrl-C stops everything."


@dataclass(frozen=True)
class Place:
    """Where an installation lives; started again on it, it continues."""

    folder: Path
    port: int = field(default_factory=free_port)
    temporal_port: int = field(default_factory=free_port)
    ui_port: int = field(default_factory=free_port)

    @property
    def flags(self) -> list[str]:
        """The flags of `cronny up`."""
        return [
            *("--data-dir", str(self.folder), "--port", str(self.port)),
            *("--temporal-port", str(self.temporal_port), "--ui-port", str(self.ui_port)),
        ]

    def cronny(self, *arguments: str | Path, stdin: str = "") -> Ran:
        """A client command that finds the instance by its folder."""
        return run_cronny(*arguments, stdin=stdin, env={"CRONNY_DATA_DIR": str(self.folder)})

    @property
    def key(self) -> str:
        """The key that `cronny up` left."""
        return str(json.loads((self.folder / "client.json").read_text())["key"])


@dataclass
class Up:
    """A running `cronny up` and what it printed until everything answered."""

    process: "subprocess.Popen[str]"
    output: str

    def read_until(self, text: str) -> None:
        """Read on until a line has the text."""
        self.output += _read_until(self.process, text)

    def family(self) -> list[psutil.Process]:
        """Every process that it started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal as the terminal does; gives the exit code."""
        self.process.send_signal(number)
        self.output += self.process.communicate(timeout=STOP_LIMIT)[0]
        return self.process.returncode


@contextmanager
def running(place: Place, *flags: str) -> Iterator[Up]:
    """`cronny up` once everything answers; killed at the end if it still runs."""
    process = subprocess.Popen(
        [COMMAND, "up", *place.flags, *flags],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=plain_environment(),
    )
    limit = threading.Timer(UP_LIMIT, process.kill)
    limit.start()
    try:
        output = _read_until(process, LAST_LINE)
        limit.cancel()
        yield Up(process, output)
    finally:
        limit.cancel()
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=STOP_LIMIT)


def _read_until(process: "subprocess.Popen[str]", last: str) -> str:
    lines = []
    for line in process.stdout or ():
        lines.append(line)
        if last in line:
            return "".join(lines)
    raise AssertionError(f"cronny up ended:\n{''.join(lines)}")
