"""Attempts of the same stage in one process: a later one joins the one that is under way.

Temporal hands a stage out again when it has not heard of it for a while, for example after an outage of
its own. The attempt that it has given up may still hold or execute the stage.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass
class _Execution(Generic[Answer]):
    task: "asyncio.Future[Answer]"
    attempts: int = 0


class Joined(Generic[Answer]):
    """Executions by key, each shared by the attempts that wait for it."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, _Execution[Answer]] = {}

    async def run(
        self, key: Hashable, start: Callable[[], Awaitable[Answer]], is_given_up: Callable[[], bool]
    ) -> Answer:
        """What the execution of `key` gives; `start` begins one if none is under way.

        A cancellation ends it, unless only this attempt `is_given_up` and another one waits for it.
        """
        execution = self._under_way.get(key)
        if execution is None:
            execution = self._under_way[key] = _Execution(asyncio.ensure_future(start()))
        execution.attempts += 1
        try:
            return await asyncio.shield(execution.task)
        except asyncio.CancelledError:
            if execution.attempts == 1 or not is_given_up():
                self._forget(key, execution)  # a later attempt begins anew
                execution.task.cancel()
                await asyncio.gather(execution.task, return_exceptions=True)
            raise
        finally:
            execution.attempts -= 1
            if execution.task.done():
                self._forget(key, execution)

    def _forget(self, key: Hashable, execution: _Execution[Answer]) -> None:
        if self._under_way.get(key) is execution:
            del self._under_way[key]
