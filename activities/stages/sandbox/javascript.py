"""JavaScript and TypeScript, in Deno with every permission denied."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from activities.stages.sandbox.confinement import confine_further, limit_memory
from activities.stages.sandbox.job import Fault, Job, timeout
from activities.stages.sandbox.kernel import end_with_parent
from activities.stages.sandbox.node_modules import import_map
from activities.stages.sandbox.programs import Program

# Bytes of data above the limit of the tenant's values: V8 maps half a gigabyte ahead, and touches little.
OVERHEAD = 640 << 20
IMPORT_MAP = import_map()
PRELUDE = b64encode((Path(__file__).parent / "prelude.js").read_bytes()).decode()
NEEDED_BY_DENO = ("/proc",)  # of which `_confine` leaves one file
_TYPES = {"javascript": "application/javascript", "typescript": "application/typescript"}
# Code stands in a function, where it may return and await; line 1 is ours.
_HEAD = "export default async (inputs) => {\n"
_TAIL = "\n; if (typeof main === 'function') return await main(inputs);\n};\n"
_FLAGS = (
    "--quiet", "--no-prompt", "--no-config", "--no-remote", "--no-npm", "--no-lock", "--no-code-cache",
    "--deny-read", "--deny-write", "--deny-net", "--deny-env", "--deny-sys", "--deny-run", "--deny-ffi",
    "--deny-import",
)  # fmt: skip
_ENVIRONMENT = {
    "DENO_DIR": "/nonexistent",
    "DENO_EMIT_CACHE_MODE": "disable",
    "DENO_NO_UPDATE_CHECK": "1",
    "NO_COLOR": "1",
}
_REPORT = re.compile(rb"(value|log|place|syntax|error|output)(.*)", re.DOTALL)
LONGEST_REPORT = 1 << 20  # bytes of one that is no result: prints and errors are cut by the prelude
# V8 ends its process by one of these when it cannot have more memory.
OUT_OF_MEMORY = {signal.SIGTRAP, signal.SIGILL, signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS}
OUT_OF_TIME = {signal.SIGXCPU, signal.SIGKILL}  # by the limit of CPU time


def run_javascript(program: Program, job: Job, log: Callable[[str], None], begin: Callable[[], None]) -> str:
    """The result as JSON; raises Fault. Calls `begin` when the code, and so its time, begins."""
    # One thread: the memory and the time of others would be counted as well.
    engine = f"--v8-flags=--single-threaded,--max-old-space-size={job.memory >> 20},--max-semi-space-size=4"
    token = secrets.token_hex(16)
    request = {
        "token": token,
        "source": _HEAD + job.source + _TAIL,
        "inputs": job.inputs,
        "type": _TYPES[job.language],
    }
    process = subprocess.Popen(  # noqa: S603 - the program is ours
        [
            program.command,
            "run",
            *_FLAGS,
            engine,
            f"--import-map={IMPORT_MAP}",
            f"data:application/javascript;base64,{PRELUDE}",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=_ENVIRONMENT,
        pass_fds=[program.file],
        preexec_fn=lambda: _confine(program, job.memory),  # noqa: PLW1509 - no thread of this process holds a lock
    )
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    with suppress(BrokenPipeError):
        process.stdin.write(json.dumps(request).encode())
        process.stdin.close()
    reports = _Reports(token.encode(), job.max_bytes)
    for kind, text in reports.read(process.stdout):
        match kind:
            case "value":
                return text
            case "log":
                log(json.loads(text))
            case "place":
                reports.place = json.loads(text)
                begin()
            case _:
                raise _fault(kind, json.loads(text), reports.place, job.source)
    raise _ended(process.wait(), job)


def _confine(program: Program, memory: int) -> None:
    if sys.platform != "linux":
        return
    end_with_parent()
    limit_memory(os.getpid(), memory + OVERHEAD)
    # Deno asks the C library where its stack ends, which reads it there; held open, so that the rule lasts.
    maps = os.open("/proc/self/maps", os.O_PATH)
    os.set_inheritable(maps, True)
    confine_further(program.file, maps)


@dataclass
class _Reports:
    """The lines of the prelude among whatever else the process writes."""

    token: bytes
    max_bytes: int
    place: str = ""  #: The address under which the code was compiled, as it stands in stacks.

    def read(self, stream: IO[bytes]) -> Iterator[tuple[str, str]]:
        """Each report's kind and text; raises Fault for a result that is too large."""
        longest = max(self.max_bytes + 64, LONGEST_REPORT)
        while line := stream.readline(longest):
            if not line.startswith(self.token):
                continue  # What the code wrote by ways of its own.
            if found := _REPORT.match(line, len(self.token)):
                kind, text = found[1].decode(), found[2].rstrip(b"\n")
                if kind == "value" and len(text) > self.max_bytes:
                    raise Fault("output", f"the result is larger than {self.max_bytes} bytes")
                yield kind, text.decode(errors="replace")


def _fault(kind: str, described: list[str], place: str, source: str) -> Fault:
    message, stack = described
    if kind == "output":
        return Fault(kind, f"the result is no JSON: {message}")
    found = re.search(re.escape(place) + r":(\d+):\d+", f"{message}\n{stack}")
    line = min(int(found[1]) - 1, source.count("\n") + 1) if found else None
    if kind == "syntax":
        message = message.partition("\n")[0].removeprefix("TypeError: ").removeprefix("SyntaxError: ")
        message = re.sub(f" at {re.escape(place)}.*", "", message)
    return Fault(kind, message.replace(place, "code"), line)


def _ended(code: int, job: Job) -> Fault:
    """Why there was no result, by the code that the process ended with."""
    if -code in OUT_OF_MEMORY:
        return Fault("memory", f"the values need more than {job.memory >> 20} MB")
    if -code in OUT_OF_TIME:
        return timeout(job)
    return Fault("error", "the code ended without a result: it waits for what never comes, or has left")
