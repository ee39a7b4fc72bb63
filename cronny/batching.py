"""Calls that come together are served by one statement."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from cronny.errors import Unavailable
from cronny.store.failures import meaning_of

Item = TypeVar("Item")
Answer = TypeVar("Answer")
_Waiting: TypeAlias = tuple[Item, asyncio.Future[Answer]]


class Batcher(Generic[Item, Answer]):
    """Gathers items while an earlier batch is under way; `serve` answers a batch in its order."""

    def __init__(self, serve: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]], chunk: int) -> None:
        self._serve = serve
        self._chunk = chunk
        self._waiting: list[_Waiting[Item, Answer]] = []
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
            try:
                await self._answer(batch)
            except BaseException:  # The loop ends: nobody may be left waiting for it.
                for _, future in [*batch, *self._waiting]:
                    future.cancel()
                self._waiting.clear()
                raise

    async def _answer(self, batch: Sequence[_Waiting[Item, Answer]]) -> None:
        batch = [pair for pair in batch if not pair[1].done()]  # without those who were cancelled meanwhile
        if not batch:
            return
        try:
            answers = await self._serve([item for item, _ in batch])
            pairs = list(zip(batch, answers, strict=True))
        except Exception as error:  # the callers must hear of it, whatever it is
            await self._answer_parts(batch, error)
            return
        for (_, future), answer in pairs:
            if not future.done():
                future.set_result(answer)

    async def _answer_parts(self, batch: Sequence[_Waiting[Item, Answer]], error: Exception) -> None:
        """One tenant's unwritable value must not fail the others, an outage fails all of them alike."""
        half = len(batch) // 2
        if half == 0 or isinstance(meaning_of(error), Unavailable):
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        await self._answer(batch[:half])
        await self._answer(batch[half:])
