import asyncio
from collections.abc import Sequence

import pytest

from cronny.batching import Batcher


class Server:
    """Doubles numbers; `broken` ones fail their batch, and while `gate` is closed nothing is served."""

    def __init__(self, *broken: int, error: Exception | None = None) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_asked = asyncio.Event()
        self.broken = set(broken)
        self.error = error or ValueError("cannot be written")

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        self.is_asked.set()
        await self.gate.wait()
        if self.broken & set(items):
            raise self.error
        return [2 * item for item in items]


async def submit(batcher: Batcher[int, int], *items: int) -> list[int | BaseException]:
    return await asyncio.gather(*[batcher.submit(item) for item in items], return_exceptions=True)


async def test_what_comes_together_is_served_at_once_and_answered_in_order() -> None:
    server = Server()
    assert await submit(Batcher(server, 10), 3, 1, 2) == [6, 2, 4]
    assert server.batches == [[3, 1, 2]]


async def test_a_batch_is_no_longer_than_a_chunk() -> None:
    server = Server()
    await submit(Batcher(server, 2), 1, 2, 3, 4, 5)
    assert server.batches == [[1, 2], [3, 4], [5]]


async def test_what_comes_during_a_batch_waits_for_the_next() -> None:
    server = Server()
    batcher = Batcher(server, 10)
    server.gate.clear()
    first = asyncio.create_task(batcher.submit(1))
    await server.is_asked.wait()
    rest = [asyncio.create_task(batcher.submit(item)) for item in (2, 3)]
    await asyncio.sleep(0)
    server.gate.set()
    assert await asyncio.gather(first, *rest) == [2, 4, 6]
    assert server.batches == [[1], [2, 3]]


async def test_one_that_cannot_be_served_fails_alone() -> None:
    server = Server(7)
    answers = await submit(Batcher(server, 500), *range(500))
    assert [item for item, answer in enumerate(answers) if isinstance(answer, ValueError)] == [7]
    assert [answer for answer in answers if isinstance(answer, int)] == [2 * n for n in range(500) if n != 7]
    assert len(server.batches) < 20  # halved, not one by one


async def test_an_outage_fails_the_batch_in_one_try() -> None:
    server = Server(1, error=ConnectionRefusedError())
    answers = await submit(Batcher(server, 10), 1, 2, 3)
    assert (list(map(type, answers)), server.batches) == ([ConnectionRefusedError] * 3, [[1, 2, 3]])


async def test_what_was_cancelled_before_its_batch_is_not_served() -> None:
    server = Server()
    batcher = Batcher(server, 10)
    tasks = [asyncio.create_task(batcher.submit(item)) for item in (1, 2)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    assert await tasks[1] == 4
    assert server.batches == [[2]]


async def test_a_caller_cancelled_during_its_batch_disturbs_nobody() -> None:
    server = Server()
    batcher = Batcher(server, 10)
    server.gate.clear()
    tasks = [asyncio.create_task(batcher.submit(item)) for item in (1, 2)]
    await server.is_asked.wait()
    tasks[0].cancel()
    server.gate.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) != [2, 4]
    assert tasks[1].result() == 4


async def test_answers_of_the_wrong_number_are_an_error_for_everybody() -> None:
    async def none(_: Sequence[int]) -> Sequence[int]:
        return []

    assert list(map(type, await submit(Batcher(none, 10), 1, 2))) == [ValueError, ValueError]


async def test_nobody_is_left_waiting_when_serving_is_cancelled() -> None:
    async def cancelled(_: Sequence[int]) -> Sequence[int]:
        raise asyncio.CancelledError

    answers = await asyncio.wait_for(submit(Batcher(cancelled, 1), 1, 2), 5)
    assert list(map(type, answers)) == [asyncio.CancelledError] * 2


@pytest.mark.parametrize("gap", range(6))
async def test_no_wake_up_is_lost_wherever_the_loop_stands(gap: int) -> None:
    batcher = Batcher(Server(), 2)
    tasks = []
    for item in range(20):
        tasks.append(asyncio.create_task(batcher.submit(item)))
        for _ in range(gap):
            await asyncio.sleep(0)
    assert await asyncio.wait_for(asyncio.gather(*tasks), 5) == [2 * item for item in range(20)]
