import asyncio

import pytest

from activities.joining import Joined


class Work:
    """An execution that ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.end = asyncio.Event()

    async def run(self) -> int:
        self.begun += 1
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self.begun


async def attempt(joined: Joined[int], work: Work, is_given_up: bool) -> "asyncio.Task[int]":
    """An attempt that has come to wait for the work."""
    task = asyncio.create_task(joined.run("stage", work.run, lambda: is_given_up))
    for _ in range(3):
        await asyncio.sleep(0)
    return task


async def test_attempts_share_one_execution() -> None:
    joined, work = Joined[int](), Work()
    attempts = [await attempt(joined, work, False) for _ in range(2)]
    work.end.set()
    assert (await asyncio.gather(*attempts), work.begun) == ([1, 1], 1)


async def test_an_attempt_after_the_end_executes_again() -> None:
    joined, work = Joined[int](), Work()
    work.end.set()
    assert [await (await attempt(joined, work, False)) for _ in range(2)] == [1, 2]


async def test_an_attempt_that_was_given_up_leaves_the_execution_to_the_next() -> None:
    joined, work = Joined[int](), Work()
    first, second = [await attempt(joined, work, True) for _ in range(2)]
    first.cancel()
    await asyncio.wait({first})
    work.end.set()
    assert (await second, work.begun, work.cancelled) == (1, 1, 0)


@pytest.mark.parametrize(("is_given_up", "others"), [(True, 0), (False, 0), (False, 1)])
async def test_a_cancellation_ends_the_execution(is_given_up: bool, others: int) -> None:
    joined, work = Joined[int](), Work()
    waiting = [await attempt(joined, work, is_given_up) for _ in range(1 + others)]
    waiting[0].cancel()
    await asyncio.wait(waiting)
    assert (work.cancelled, [one.cancelled() for one in waiting]) == (1, [True] * (1 + others))


async def test_an_attempt_after_a_cancellation_begins_anew() -> None:
    joined, work = Joined[int](), Work()
    (await attempt(joined, work, False)).cancel()
    second = await attempt(joined, work, False)
    work.end.set()
    assert (await second, work.cancelled) == (2, 1)


async def test_every_attempt_hears_of_a_failure() -> None:
    joined = Joined[int]()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ValueError

    attempts = [asyncio.create_task(joined.run("stage", fail, lambda: False)) for _ in range(2)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(result) for result in results] == [ValueError] * 2
