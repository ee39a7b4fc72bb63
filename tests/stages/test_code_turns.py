"""Places for runs are shared between tenants."""

import asyncio
from contextlib import AsyncExitStack

from activities.stages.sandbox.turns import Turns


class Stand:
    """Runs that go on until they are told to end."""

    def __init__(self, most: int, most_each: int) -> None:
        self.turns = Turns(most, most_each)
        self.begun: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, *names: str) -> None:
        """Each name is a tenant's letter and a number."""
        for name in names:
            self.ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._run(name))
        await settle()

    async def end(self, name: str) -> None:
        self.ends[name].set()
        await settle()

    async def _run(self, name: str) -> None:
        async with self.turns.turn(name[0]):
            self.begun.append(name)
            await self.ends[name].wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_no_more_run_than_there_are_places() -> None:
    stand = Stand(2, 2)
    await stand.ask("a1", "b1", "c1")
    assert stand.begun == ["a1", "b1"]
    await stand.end("a1")
    assert stand.begun == ["a1", "b1", "c1"]


async def test_one_tenant_leaves_places_to_others() -> None:
    stand = Stand(4, 2)
    await stand.ask("a1", "a2", "a3", "a4", "b1")
    assert stand.begun == ["a1", "a2", "b1"]


async def test_a_free_place_goes_to_who_has_the_fewest() -> None:
    stand = Stand(3, 3)
    await stand.ask("a1", "a2", "a3", "a4", "a5", "b1")
    await stand.end("a1")
    await stand.end("a2")
    assert stand.begun == ["a1", "a2", "a3", "b1", "a4"]


async def test_who_gives_up_waiting_takes_no_place() -> None:
    stand = Stand(1, 1)
    await stand.ask("a1", "a2", "b1")
    stand.tasks["a2"].cancel()
    await settle()
    await stand.end("a1")
    await stand.end("b1")
    await stand.ask("a3")
    assert stand.begun == ["a1", "b1", "a3"]


async def test_who_is_cancelled_as_its_turn_comes_gives_it_back() -> None:
    turns = Turns(1, 1)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(turns.turn("a"))
        late = asyncio.create_task(turns.turn("b").__aenter__())
        await settle()
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    async with asyncio.timeout(5), turns.turn("c"):
        assert late.cancelled()
