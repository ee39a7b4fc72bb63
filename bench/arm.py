"""What is measured side by side: an arm is one way to have fires happen at their dues."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from bench.stand import Stand

AT_ONCE = 16  # requests under way while an arm is set up


class NotAvailable(Exception):
    """The arm cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Recurring:
    """A schedule that fires so many times, every so many seconds."""

    name: str
    start: float
    every: float
    times: int

    def dues(self) -> list[float]:
        """The instants of its fires."""
        return [self.start + number * self.every for number in range(self.times)]


class Arm(ABC):
    """One way to have fires happen; each fire notes itself in the stand's sink."""

    name: str

    def prepare(self) -> None:
        """Bring in what the arm needs; raises NotAvailable."""
        return

    @contextmanager
    def servers(self, stand: Stand) -> Iterator[None]:
        """What the arm needs besides its worker, while the block runs."""
        yield

    @abstractmethod
    def worker(self, stand: Stand) -> AbstractContextManager[None]:
        """The process that does the work, killed at the end of the block."""

    @abstractmethod
    async def once(self, stand: Stand, prefix: str, dues: Sequence[float]) -> None:
        """A schedule for each due, that fires once."""

    @abstractmethod
    async def recurring(self, stand: Stand, rules: Sequence[Recurring]) -> None:
        """The schedules of some rules."""

    async def chain(self, stand: Stand, length: int, times: int) -> list[float]:
        """Seconds that so many stages in a row take, for each of some runs."""
        raise NotAvailable("not written for this arm")

    def room(self, count: int) -> float:
        """Seconds that it needs to set up so many schedules, amply."""
        return 8 + count / 100


async def gathered(one: Callable[[int], Awaitable[None]], count: int) -> None:
    """Do something so many times, a few at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated(number: int) -> None:
        async with gate:
            await one(number)

    await asyncio.gather(*[gated(number) for number in range(count)])


def soon(seconds: float) -> float:
    """A whole second, at least so far away."""
    return float(int(time.time() + seconds) + 1)
