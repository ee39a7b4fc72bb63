"""Calls that come together are served by one statement."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batcher(Generic[Item, Answer]):
    """Gathers items while an earlier batch is under way; `serve` answers a batch in its order."""

    def __init__(self, serve: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]], chunk: int) -> None:
        self._serve = serve
        self._chunk = chunk
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._loop: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Answer:
        """The answer to `item`; raises what the batch raised."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        await asyncio.sleep(0)  # let everything that is due in this turn of the loop join the first batch
        while self._waiting:
            batch, self._waiting = self._waiting[: self._chunk], self._waiting[self._chunk :]
            await self._answer(batch)

    async def _answer(self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._serve([item for item, _ in batch])
        except Exception as error:  # the callers must hear of it, whatever it is
            await self._answer_alone(batch, error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            _settle(future, answer)

    async def _answer_alone(
        self, batch: Sequence[tuple[Item, asyncio.Future[Answer]]], error: Exception
    ) -> None:
        if len(batch) == 1:
            _settle(batch[0][1], error=error)
            return
        for pair in batch:  # one tenant's unwritable value must not fail the others
            await self._answer([pair])


def _settle(
    future: "asyncio.Future[Answer]", answer: Answer | None = None, error: Exception | None = None
) -> None:
    if future.done():  # the caller was cancelled meanwhile
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(answer)  # type: ignore[arg-type]  # an answer was given where there is no error
