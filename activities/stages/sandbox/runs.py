"""The worker's side: gets a keeper from the nursery, gives it one job, and waits for what comes of it."""

import asyncio
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from pydantic import JsonValue

from activities.stages.kind import StageError
from activities.stages.sandbox.job import PIECE, STARTING, Job
from activities.stages.sandbox.starting import Nursery
from activities.stages.sandbox.turns import Turns

MOST_RUNS = max(4, 2 * (os.cpu_count() or 1))  # at once in one worker; more of them would only take memory
MOST_EACH = MOST_RUNS // 2  # of one tenant: its loops must leave room for others
GRACE = 5.0  # seconds that a keeper has to report what its own clock has ended
RETRYABLE = {"timeout", "crashed"}  # A machine with less to do may help; all else ends the same way again.
CRASHED = "the interpreter ended unexpectedly"
LOST = "the interpreter does not start; the worker's log says why"

log = logging.getLogger("activities.sandbox")

_nursery = Nursery()
_turns: "WeakKeyDictionary[asyncio.AbstractEventLoop, Turns]" = WeakKeyDictionary()


async def run_code(job: Job, write: Callable[[str], None], tenant: str = "") -> JsonValue:
    """The result of the code; raises StageError with a code `code.…`. Prints go to `write`, by lines."""
    turns = _turns.setdefault(asyncio.get_running_loop(), Turns(MOST_RUNS, MOST_EACH))
    async with turns.turn(tenant), _keeper(job) as answers:
        prints = _Prints(write)
        try:
            async with asyncio.timeout(STARTING + job.seconds + GRACE):
                return await _result(answers, prints)
        except TimeoutError:
            raise _error("timeout", f"no result within {job.seconds:g} s") from None
        except OSError:
            raise _error("crashed", CRASHED) from None
        finally:
            prints.end()


@asynccontextmanager
async def _keeper(job: Job) -> AsyncIterator[asyncio.StreamReader]:
    """A keeper at work, which ends when it is let go of."""
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            _nursery.hand_over(theirs)
        except OSError:
            ours.close()
            raise StageError("internal", LOST, retryable=True) from None
    reader, writer = await asyncio.open_unix_connection(sock=ours, limit=job.max_bytes * 2 + 8 * PIECE)
    try:
        writer.write(job.line())
        yield reader
    finally:
        writer.transport.abort()


async def _result(answers: asyncio.StreamReader, prints: "_Prints") -> JsonValue:
    has_started = False
    while line := await answers.readline():
        answer = json.loads(line)
        if "missing" in answer:
            has_started = True
            _nursery.note_missing(answer["missing"])
        elif "log" in answer:
            prints.add(answer["log"])
        elif "failure" in answer:
            log.error("a keeper failed in an unexpected way", extra={"failure": answer["failure"]})
        elif "error" in answer:
            raise _error(answer["code"], answer["error"], answer["line"])
        else:
            return _value(answer["value"])
    if not has_started:
        raise StageError("internal", LOST, retryable=True)
    raise _error("crashed", CRASHED)


def _value(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        raise _error("output", "the result is no JSON, or nested too deeply") from None
    return value


def _error(code: str, message: str, line: int | None = None) -> StageError:
    text = message if line is None else f"line {line}: {message}"
    details: JsonValue = None if line is None else {"line": line}
    return StageError(f"code.{code}", text, retryable=code in RETRYABLE, details=details)


@dataclass
class _Prints:
    """Prints, which come in pieces, as lines."""

    write: Callable[[str], None]
    rest: str = ""

    def add(self, piece: str) -> None:
        *lines, self.rest = (self.rest + piece).split("\n")
        for line in lines:
            self.write(line)

    def end(self) -> None:
        if self.rest:
            self.write(self.rest)
