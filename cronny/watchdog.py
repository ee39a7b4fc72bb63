"""The watchdog: driven by the database, it brings back what Temporal lost or never heard of."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio.client import Client

from cronny.clock import Clock
from cronny.errors import Refused, Unavailable
from cronny.metrics import Metrics
from cronny.repairs import Repairs
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.watch import (
    BATCH,
    StuckSchedule,
    StuckTrigger,
    executing_triggers,
    stuck_schedules,
    stuck_triggers,
    take_lease,
)
from cronny.temporal.connection import ensure_search_attributes
from cronny.unheard import WaitRepairs
from cronny.unreleased import QueueRepairs

ROUND = timedelta(seconds=5)  # between two looks
LEASE = timedelta(seconds=15)  # another worker takes over after this
AT_ONCE = 20  # repairs under way: with Temporal's database gone there are thousands

Item = TypeVar("Item", StuckSchedule, StuckTrigger)
log = logging.getLogger("cronny.watchdog")


class Watchdog:
    """One loop in each system worker; the one that has the lease repairs."""

    def __init__(
        self, database: Database, client: Client, clock: Clock, name: str, metrics: Metrics | None = None
    ) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._name = name
        self._metrics = metrics or Metrics()
        self._repairs = Repairs(database, client, self._metrics)
        self._waits = WaitRepairs(database, client)
        self._queues = QueueRepairs(database, client)
        self._passed = 0  # unclaimed triggers that the rounds before this one looked at
        self._place: tuple[datetime, str] | None = None
        self._is_sound = False  # whether Temporal took every repair of the last round

    async def run(self) -> None:
        """Look and repair until cancelled."""
        while True:
            try:
                await self.round()
            except Exception as error:  # whatever it was, the next round may succeed
                self._metrics.rounds.labels("failed").inc()
                is_known = isinstance(error, Unavailable) or meaning_of(error) is not None
                log.warning(
                    "the watchdog could not finish its round",
                    exc_info=None if is_known else error,
                    extra={"reason": str(error)},
                )
            await asyncio.sleep(ROUND.total_seconds())

    async def round(self) -> None:
        """Look once; raises Unavailable when Temporal is away."""
        now = self._clock()
        async with self._database.write() as session:
            has_lease = await take_lease(session, "watchdog", self._name, now, LEASE)
        if not has_lease:
            self._metrics.rounds.labels("left").inc()
            return
        was_sound, self._is_sound = self._is_sound, False
        if not was_sound:  # it may be another Temporal than before
            await ensure_search_attributes(self._client)
        results = [
            await self._wake_schedules(now),
            await self._start_triggers(now),
            await self._settle_lost(now),
            await self._waits.round(now),
            await self._queues.round(now),
        ]
        self._is_sound = all(results)
        self._repairs.forget(now)
        self._metrics.rounds.labels("done").inc()

    async def _wake_schedules(self, now: datetime) -> bool:
        async with self._database.read() as session:
            schedules = await stuck_schedules(session, now)
        return await _each(schedules, lambda schedule: self._repairs.wake(schedule, now))

    async def _start_triggers(self, now: datetime) -> bool:
        """Look at the next unclaimed triggers; after the last ones the first come again."""
        async with self._database.read() as session:
            triggers = await stuck_triggers(session, now, self._passed)
        self._passed = self._passed + BATCH if len(triggers) == BATCH else 0
        return await _each(triggers, lambda trigger: self._repairs.start(trigger, now))

    async def _settle_lost(self, now: datetime) -> bool:
        """Look at the next executing triggers; after the last ones the first come again."""
        async with self._database.read() as session:
            triggers = await executing_triggers(session, now, self._place)
        self._place = (triggers[-1].row.due, triggers[-1].row.id) if triggers else None
        return await _each(triggers, lambda trigger: self._repairs.settle(trigger, now))


async def _each(items: Sequence[Item], repair: Callable[[Item], Awaitable[None]]) -> bool:
    """Repair all, some at a time; False if Temporal refused one, Unavailable if it does not answer."""
    waiting = iter(items)
    refusals: list[Refused] = []

    async def work() -> None:
        for item in waiting:
            try:
                await repair(item)
            except Refused as error:
                refusals.append(error)

    results = await asyncio.gather(*[work() for _ in range(AT_ONCE)], return_exceptions=True)
    for error in results:
        if error is not None:
            raise error
    if refusals:
        fields = {"count": len(refusals), "reason": str(refusals[0])}
        log.warning("Temporal refused repairs", extra=fields)
    return not refusals
