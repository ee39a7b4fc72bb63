"""A keeper: the process that guards one run, confined like the interpreter that it starts."""

import json
import math
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread, Timer
from traceback import walk_tb

from pydantic import JsonValue

from activities.stages.sandbox.confinement import confine
from activities.stages.sandbox.javascript import NEEDED_BY_DENO, run_javascript
from activities.stages.sandbox.job import CUT, LOG_LIMIT, PIECE, Fault, Job, timeout
from activities.stages.sandbox.programs import Program
from activities.stages.sandbox.python import run_python

MEMORY = 1280 << 20  # bytes of data; holds the largest result as values of Python, and what Deno may have
MOST_JOB = 128 << 20  # bytes; a stage's inputs are less, also when escaped


@dataclass
class _Answers:
    """The worker's end of the socket."""

    end: socket.socket
    printed: int = 0
    lock: Lock = field(default_factory=Lock)

    def send(self, **answer: JsonValue) -> None:
        with self.lock:
            self.end.sendall(json.dumps(answer, separators=(",", ":")).encode() + b"\n")

    def send_fault(self, fault: Fault) -> None:
        self.send(error=fault.message, code=fault.code, line=fault.line)

    def log(self, text: str) -> None:
        """Pass prints on, as far as they are kept."""
        if self.printed > LOG_LIMIT:
            return
        self.printed += len(text)
        kept = text if self.printed <= LOG_LIMIT else text[: LOG_LIMIT - self.printed] + "\n" + CUT
        for start in range(0, len(kept), PIECE):
            self.send(log=kept[start : start + PIECE])


def keep(end: socket.socket, programs: Mapping[str, Program], missing: Sequence[str]) -> None:
    """Do the one job that comes over the socket; `missing` are the walls that this system does not offer."""
    answers = _Answers(end)
    answers.send(missing=list(missing))
    with end.makefile("rb") as lines:
        job = Job.read(lines.readline(MOST_JOB))
    is_python = job.language == "python"
    run, program = (run_python, programs["monty"]) if is_python else (run_javascript, programs["deno"])
    for other in programs.values():
        if other is not program:
            os.close(other.file)
    confine(
        program.file,
        *(() if is_python else NEEDED_BY_DENO),
        seconds=math.ceil(job.seconds) + 2,
        memory=MEMORY,
    )
    # When the worker lets go, or dies, this process ends, and with it the run.
    Thread(target=_leave_with, args=(end,), daemon=True).start()
    try:
        answers.send(value=run(program, job, answers.log, lambda: _set_clock(answers, job)))
    except Fault as fault:
        answers.send_fault(fault)
    except Exception as error:  # A mistake of ours; where it is, and nothing of the tenant's.
        answers.send(failure=f"{type(error).__name__} in {_place(error)}")


def _place(error: Exception) -> str:
    *_, (frame, line) = walk_tb(error.__traceback__)
    return f"{Path(frame.f_code.co_filename).name}:{line}"


def _set_clock(answers: _Answers, job: Job) -> None:
    """End the run when its time is over, whatever the interpreter, or this process, is busy with."""

    def ring() -> None:
        answers.send_fault(timeout(job))
        os._exit(0)

    clock = Timer(job.seconds, ring)
    clock.daemon = True
    clock.start()


def _leave_with(end: socket.socket) -> None:
    end.recv(1)
    os._exit(1)
