"""Evaluates expressions in a child process, which an expression that asks for too much may take down."""

import asyncio
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from datetime import timedelta
from functools import lru_cache

from pydantic import JsonValue

from activities.scope import View
from activities.stages.kind import StageError
from cronny.child import signal_group, tied_to_parent
from dsl.outside import NOUNS, outside_types
from dsl.references import Reference, references, variables_used
from dsl.templates import TemplateError, expressions_in, templates_in

COMMAND = (sys.executable, "-P", "-m", "activities.evaluation")
TIME_LIMIT = timedelta(seconds=10)  # for one answer; the child bounds its own CPU time, a stuck one cannot
LINE_LIMIT = 128 << 20  # bytes of one answer; the child sends no more than half of it
TRIES = 2  # a child that somebody else killed must not fail a stage
KILLED = {-signal.SIGKILL, -signal.SIGTERM}  # what a child ends with that did not die of its question

log = logging.getLogger("cronny.evaluator")


class Evaluator:
    """One child process, started when it is first needed and again whenever it has died."""

    def __init__(self, time_limit: timedelta = TIME_LIMIT) -> None:
        self._process: Process | None = None
        self._lock = asyncio.Lock()
        self.time_limit = time_limit
        self._questions: set[asyncio.Task[dict[str, JsonValue]]] = set()

    async def render(self, value: JsonValue, view: View) -> JsonValue:
        """The value with its expressions resolved; raises StageError with the code `expression`."""
        if not any(True for _ in templates_in(value)):
            return value
        try:
            texts = [text for _, text, _ in expressions_in(value)]
        except TemplateError as error:
            raise _mistake(str(error)) from None
        return await self._ask(value, view, texts, is_condition=False)

    async def holds(self, condition: str, view: View) -> bool:
        """Whether a condition is true; raises StageError with the code `expression`."""
        return bool(await self._ask(condition, view, [condition], is_condition=True))

    async def close(self) -> None:
        """End the child process; whoever still waits for an answer is cancelled."""
        for question in self._questions:
            question.cancel()
        await asyncio.gather(*self._questions, return_exceptions=True)
        await self._end()

    async def _ask(self, value: JsonValue, view: View, texts: list[str], *, is_condition: bool) -> JsonValue:
        found = [reference for text in texts for reference in _references(text)]
        types = variables_used(found, view.scope.types)
        for name, kind in outside_types(found).items():
            if name not in view.variables:  # It was there at the upload, and somebody has deleted it since.
                root, _, last = name.partition(".")
                raise _mistake(f"there is no {NOUNS[root]} '{last}'")
            types[name] = kind
        request = {
            "value": value,
            "variables": {name: view.variables.get(name) for name in types},
            "types": types,
            "is_condition": is_condition,
        }
        line = json.dumps(request, separators=(",", ":")).encode() + b"\n"
        question = asyncio.create_task(self._answer(line))
        self._questions.add(question)
        question.add_done_callback(self._questions.discard)
        # A stage that is cancelled does not take its answer with it: the next stage would get that answer.
        answer = await asyncio.shield(question)
        if "error" in answer:
            raise _mistake(str(answer["error"]))
        return answer["value"]

    async def _answer(self, line: bytes) -> dict[str, JsonValue]:
        async with self._lock:
            for _ in range(TRIES):
                process = await self._running()
                reply = await self._exchange(process, line)
                if reply:
                    answer: dict[str, JsonValue] = json.loads(reply)
                    return answer
                code = await self._end()
                log.warning("the evaluator ended", extra={"code": code})
                if reply is None or code not in KILLED:
                    break
        return {"error": "this needs more time or memory than an expression may have"}

    async def _exchange(self, process: Process, line: bytes) -> bytes | None:
        """The answer; nothing when the child died, None when it takes too long."""
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            async with asyncio.timeout(self.time_limit.total_seconds()):
                process.stdin.write(line)
                await process.stdin.drain()
                return await process.stdout.readline()
        except ConnectionError:
            return b""
        except (TimeoutError, ValueError):
            return None

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *COMMAND,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                limit=LINE_LIMIT,
                # What evaluates a tenant's expressions has no need of our keys.
                env={name: value for name, value in os.environ.items() if not name.startswith("CRONNY_")},
                start_new_session=True,
                preexec_fn=tied_to_parent(),
            )
        return self._process

    async def _end(self) -> int | None:
        """Kill the child, if there is one, and return the code it ended with."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            # Not process.kill(), which would take the exit code from asyncio if the child has just died.
            signal_group(process.pid, signal.SIGKILL)
        return await process.wait()


@lru_cache(4096)  # The same few expressions come with every trigger.
def _references(text: str) -> tuple[Reference, ...]:
    return tuple(references(text))


def _mistake(message: str) -> StageError:
    return StageError("expression", message, retryable=False)
