"""Holding: a stage that was handed out ahead of time waits in process until its due, never less."""

import asyncio
import random
from asyncio import sleep
from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from cronny.clock import Clock
from workflows.remote import SILENCE

BEAT = timedelta(
    seconds=4
)  # between heartbeats, which also bring a cancellation; each costs the server 5 ms of CPU
MARGIN = timedelta(seconds=10)  # the server waits so much longer for a heartbeat than it has to
SPREAD = timedelta(minutes=2)  # of the heartbeats of holds for the same due
LONGEST_NAP = 2.0  # seconds; a wall clock that is stepped is noticed within this
TAKEN_OVER = timedelta(milliseconds=100)  # after this another worker is offered what was given back


class Holds:
    """The holds of a worker process; a worker that shuts down gives them back at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[asyncio.Future[None], datetime] = {}
        self._is_closed = False

    async def until(self, due: datetime) -> None:
        """Return at the due, not before; raise when the hold is given back, which costs no attempt."""
        while (left := (due - self._clock()).total_seconds()) > 0:
            if self._is_closed:
                raise ApplicationError(
                    "the worker shuts down; another one takes over",
                    type="given_back",
                    next_retry_delay=TAKEN_OVER,
                    category=ApplicationErrorCategory.BENIGN,
                )
            await self._nap(min(left, LONGEST_NAP), due)

    def soonest(self) -> datetime | None:
        """The next due of what is held."""
        return min(self._waiting.values(), default=None)

    def give_back(self) -> None:
        """End every hold; what waits is executed by another worker."""
        self._is_closed = True
        for future in list(self._waiting):
            if not future.done():
                future.set_result(None)

    async def _nap(self, seconds: float, due: datetime) -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        timer = loop.call_later(seconds, _wake, future)
        self._waiting[future] = due
        try:
            await future
        finally:
            timer.cancel()
            del self._waiting[future]


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


async def beat(hold: timedelta, luck: Callable[[], float] = random.random) -> None:
    """Heartbeat for as long as a stage executes; the first a while after its hold, as most end before.

    What is merely held needs few: the last one lets the server wait until after the due, those before it as
    long as the server waits. A herd's are spread: as many at one instant would keep the server from hearing
    them in time.
    """
    silence = min(max((activity.info().heartbeat_timeout or MARGIN) - MARGIN, BEAT), SILENCE)
    left = max(hold, timedelta())
    nap = (left - silence + luck() * SPREAD) % silence
    while left > silence:
        await sleep(nap.total_seconds())
        activity.heartbeat()
        left, nap = left - nap, silence
    await sleep(left.total_seconds())
    while True:
        await sleep(BEAT.total_seconds())
        activity.heartbeat()
