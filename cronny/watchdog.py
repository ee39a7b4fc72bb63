"""The watchdog: driven by the database, it brings back what Temporal lost or never heard of."""

import asyncio
import logging
from datetime import datetime, timedelta

from temporalio.client import Client

from cronny.clock import Clock
from cronny.errors import Unavailable
from cronny.firing import fire_of
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.tables import EventKind
from cronny.store.watch import (
    StuckSchedule,
    StuckTrigger,
    executing_triggers,
    note_repair,
    settle_lost,
    stuck_schedules,
    stuck_triggers,
    take_lease,
)
from cronny.temporal.schedules import is_running, notify, start_trigger

ROUND = timedelta(seconds=5)  # between two looks
LEASE = timedelta(seconds=15)  # another worker takes over after this
PATIENCE = timedelta(seconds=60)  # before the same trigger is tried again: it may merely wait for a slot

log = logging.getLogger("cronny.watchdog")


class Watchdog:
    """One loop in each system worker; the one that has the lease repairs."""

    def __init__(self, database: Database, client: Client, clock: Clock, name: str) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._name = name
        self._tried: dict[str, datetime] = {}
        self._woken: dict[str, datetime] = {}  # schedules whose repair is in the event table
        self._place: tuple[datetime, str] | None = None

    async def run(self) -> None:
        """Look and repair until cancelled."""
        while True:
            try:
                await self.round()
            except Exception as error:  # whatever it was, the next round may succeed
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
            if not await take_lease(session, "watchdog", self._name, now, LEASE):
                return
        await self._wake_schedules(now)
        await self._start_triggers(now)
        await self._settle_lost(now)

    async def _wake_schedules(self, now: datetime) -> None:
        async with self._database.read() as session:
            schedules = await stuck_schedules(session, now)
        self._woken = {name: at for name, at in self._woken.items() if now - at < PATIENCE}
        for schedule in schedules:
            await notify(self._client, schedule.tenant, schedule.row.id, schedule.row.name, schedule.action)
            log.warning("woke a schedule", extra={"tenant": schedule.tenant, "schedule": schedule.row.name})
            if schedule.row.id not in self._woken:
                self._woken[schedule.row.id] = now
                await self._note_woken(schedule, now)

    async def _note_woken(self, schedule: StuckSchedule, now: datetime) -> None:
        async with self._database.write() as session:
            await note_repair(session, EventKind.SCHEDULE_WOKEN, schedule.row, now)

    async def _start_triggers(self, now: datetime) -> None:
        async with self._database.read() as session:
            triggers = await stuck_triggers(session, now)
        self._tried = {name: at for name, at in self._tried.items() if now - at < PATIENCE}
        for trigger in triggers:
            if trigger.row.id not in self._tried:
                self._tried[trigger.row.id] = now
                await self._start(trigger, now)

    async def _start(self, trigger: StuckTrigger, now: datetime) -> None:
        row = trigger.row
        await start_trigger(self._client, fire_of(row, trigger.tenant, trigger.action, trigger.schedule, now))
        log.warning("started an unclaimed trigger", extra={"tenant": trigger.tenant, "trigger": row.id})
        async with self._database.write() as session:
            await note_repair(session, EventKind.TRIGGER_STARTED, row, now)

    async def _settle_lost(self, now: datetime) -> None:
        """Look at the next executing triggers; after the last ones the first come again."""
        async with self._database.read() as session:
            triggers = await executing_triggers(session, now, self._place)
        self._place = (triggers[-1].row.due, triggers[-1].row.id) if triggers else None
        for trigger in triggers:
            if not await is_running(self._client, trigger.row.workflow_id, trigger.row.run_id):
                await self._settle(trigger, now)

    async def _settle(self, trigger: StuckTrigger, now: datetime) -> None:
        async with self._database.write() as session:
            is_settled = await settle_lost(session, trigger, now)
            if is_settled:
                await note_repair(session, EventKind.TRIGGER_LOST, trigger.row, now)
        if is_settled:
            fields = {"tenant": trigger.tenant, "trigger": trigger.row.id}
            log.warning("settled a trigger whose workflow is gone", extra=fields)
