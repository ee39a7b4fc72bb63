"""Evaluates expressions in a child process, which an expression that asks for too much may take down."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from datetime import timedelta

from pydantic import JsonValue

from activities.scope import View
from activities.stages.kind import StageError
from cronny.child import tied_to_parent
from dsl.references import references, variables_used
from dsl.templates import TemplateError, expressions_in, templates_in

COMMAND = (sys.executable, "-P", "-m", "activities.evaluation")
TIME_LIMIT = timedelta(seconds=5)  # for one value; the engine bounds the steps of an expression, not its time
LINE_LIMIT = 64 << 20  # bytes of one answer; the blocks of stages are far smaller
TRIES = 2  # a child that somebody else killed must not fail a stage


class Evaluator:
    """One child process, started when it is first needed and again whenever it has died."""

    def __init__(self, time_limit: timedelta = TIME_LIMIT) -> None:
        self._process: Process | None = None
        self._lock = asyncio.Lock()
        self._time_limit = time_limit

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
        """End the child process."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _ask(self, value: JsonValue, view: View, texts: list[str], *, is_condition: bool) -> JsonValue:
        found = [reference for text in texts for reference in references(text)]
        types = variables_used(found, view.scope.types)
        request = {
            "value": value,
            "variables": {name: view.variables.get(name) for name in types},
            "types": types,
            "is_condition": is_condition,
        }
        answer = await self._answer(json.dumps(request, separators=(",", ":")).encode() + b"\n")
        if "error" in answer:
            raise _mistake(str(answer["error"]))
        return answer["value"]

    async def _answer(self, line: bytes) -> dict[str, JsonValue]:
        async with self._lock:
            for _ in range(TRIES):
                if reply := await self._exchange(line):
                    answer: dict[str, JsonValue] = json.loads(reply)
                    return answer
                await self.close()
        raise _mistake("this needs more time or memory than an expression may have")

    async def _exchange(self, line: bytes) -> bytes:
        """The answer, or nothing when the child died or takes too long."""
        process = await self._running()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            async with asyncio.timeout(self._time_limit.total_seconds()):
                process.stdin.write(line)
                await process.stdin.drain()
                return await process.stdout.readline()
        except (TimeoutError, ValueError, ConnectionError):
            return b""
        except asyncio.CancelledError:
            await self.close()  # The answer that nobody waits for would be taken for the next one.
            raise

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *COMMAND,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                limit=LINE_LIMIT,
                start_new_session=True,
                preexec_fn=tied_to_parent(),
            )
        return self._process


def _mistake(message: str) -> StageError:
    return StageError("expression", message, retryable=False)
