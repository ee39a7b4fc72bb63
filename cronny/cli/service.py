"""A service of `cronny up`: a child process that is started again when it ends by itself."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cronny.child import signal_group, tied_to_parent
from cronny.cli.exits import CannotRun, Exit
from cronny.cli.log import Log

QUICK = 10.0  # seconds; who ends earlier than this after a start has failed to start
ATTEMPTS = 5  # quick failures in a row, after which starting again is no use
FIRST_DELAY = 0.5  # seconds before the first restart; doubled for each further one
LINE_LIMIT = 1 << 20  # bytes of a log line; more is cut off


@dataclass(frozen=True)
class Program:
    """What a service runs, and how long it may take to stop."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    grace: float  # seconds between SIGTERM and SIGKILL


class Service:
    """Keeps one program running until it is stopped."""

    def __init__(self, program: Program, log: Log) -> None:
        self.program = program
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._is_stopping = False

    async def keep(self) -> None:
        """Returns when the service was stopped; raises `CannotRun` when it fails again and again."""
        failures, name = 0, self.program.name
        while not self._is_stopping:
            began = asyncio.get_running_loop().time()
            code = await self._once()
            if self._is_stopping:
                return
            lasted = asyncio.get_running_loop().time() - began
            failures = failures + 1 if lasted < QUICK else 1
            if failures == ATTEMPTS:
                message = f"the {name} failed {ATTEMPTS} times in a row, the last time with code {code}"
                raise CannotRun(Exit.FAILED, message)
            delay = FIRST_DELAY * 2 ** (failures - 1)
            self._log.say(f"the {name} ended with code {code}; starting it again in {delay:g} s")
            await asyncio.sleep(delay)

    async def stop(self) -> None:
        """Asks the program to end, and ends it when its grace is over."""
        self._is_stopping = True
        process = self._process
        if process is None:
            return
        signal_group(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self.program.grace)
        except TimeoutError:
            self._log.say(f"the {self.program.name} did not stop within {self.program.grace:g} s: killed")
        self.kill()

    def kill(self) -> None:
        """Ends the program and whatever it started, at once."""
        self._is_stopping = True
        if self._process is not None:
            signal_group(self._process.pid, signal.SIGKILL)

    async def _once(self) -> int:
        process = await asyncio.create_subprocess_exec(
            *self.program.command,
            env=self.program.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=tied_to_parent(),
            limit=LINE_LIMIT,
        )
        self._process = process
        showing = asyncio.create_task(self._show(process))
        try:
            return await process.wait()
        finally:
            # What it left behind would hold its ports and its end of the pipe.
            signal_group(process.pid, signal.SIGKILL)
            self._process = None
            await showing

    async def _show(self, process: asyncio.subprocess.Process) -> None:
        output = process.stdout
        while output is not None and not output.at_eof():
            try:
                line = await output.readline()
            except ValueError:  # Longer than the limit; what was read of it is gone.
                continue
            if text := line.decode(errors="replace").rstrip():
                self._log.line(self.program.name, text)
