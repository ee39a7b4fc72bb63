"""What the watchdog does about one schedule or one trigger, and what it writes down of it."""

import logging
from datetime import datetime, timedelta

from temporalio.client import Client

from cronny.firing import fire_of
from cronny.metrics import Metrics
from cronny.patience import Patience
from cronny.store.database import Database
from cronny.store.ends import after_lost
from cronny.store.tables import EventKind
from cronny.store.watch import StuckSchedule, StuckTrigger, give_up, note_repair, settle_lost
from cronny.temporal.diagnosis import Diagnosis, Standing, diagnose
from cronny.temporal.schedules import is_running, notify, release, replace, start_trigger, terminate

WAKES = 2  # in vain; then the workflow is replaced
# A rule that cannot be allocated stays so until somebody mends it; a trigger may wait for a worker for days.
SCHEDULES = (timedelta(seconds=10), timedelta(minutes=5))
TRIGGERS = (timedelta(seconds=60), timedelta(minutes=10))
EXPLANATIONS = (timedelta(minutes=10), timedelta(hours=24))  # of the same thing about the same schedule
GIVEN_UP = timedelta(
    hours=1
)  # after its start was planned, a trigger whose workflow keeps failing is settled

log = logging.getLogger("cronny.watchdog")


class Repairs:
    """Repairs that are not repeated too soon; each is an event, a count and a line in the log."""

    def __init__(self, database: Database, client: Client, metrics: Metrics) -> None:
        self._database = database
        self._client = client
        self._metrics = metrics
        self._schedules = Patience(*SCHEDULES)
        self._triggers = Patience(*TRIGGERS)
        self._explained = Patience(*EXPLANATIONS)

    def forget(self, now: datetime) -> None:
        """Forget what has held."""
        for patience in (self._schedules, self._triggers, self._explained):
            patience.forget(now)

    async def wake(self, schedule: StuckSchedule, now: datetime) -> None:
        """Tell a schedule's workflow what its row says; one that does not wake is replaced."""
        row = schedule.row
        if not self._schedules.is_over(row.id, now):
            return
        is_deaf = self._schedules.times(row.id) >= WAKES
        await (replace if is_deaf else notify)(
            self._client, schedule.tenant, row.id, row.name, schedule.action
        )
        self._schedules.note(row.id, now)
        kind = EventKind.SCHEDULE_REPLACED if is_deaf else EventKind.SCHEDULE_WOKEN
        async with self._database.write() as session:
            await note_repair(session, kind, row, now)
        self._report(kind, schedule.tenant, row.name)

    async def start(self, trigger: StuckTrigger, now: datetime) -> None:
        """Make sure that an unclaimed trigger has a workflow; if it has one, find out what keeps it."""
        row = trigger.row
        if not self._triggers.is_over(row.id, now):
            return
        found = await diagnose(self._client, row.workflow_id)
        self._triggers.note(row.id, now)
        match found.standing:
            case Standing.GONE:
                fire = fire_of(row, trigger.tenant, trigger.action, trigger.schedule, now)
                await start_trigger(self._client, fire)
                await self._note(EventKind.TRIGGER_STARTED, trigger, now, found.why)
            case Standing.BROKEN:
                await self._give_up(trigger, found, now)
            case Standing.FAILING if now - row.planned > GIVEN_UP:
                await self._give_up(trigger, found, now)
                await terminate(self._client, row.workflow_id, "", "its trigger was given up")
            case Standing.FAILING | Standing.UNSERVED:
                await self._explain(trigger, found, now)

    async def settle(self, trigger: StuckTrigger, now: datetime) -> None:
        """Settle an executing trigger as failed if its workflow is gone."""
        if await is_running(self._client, trigger.row.workflow_id, trigger.row.run_id):
            return
        async with self._database.write() as session:
            is_settled = await settle_lost(session, trigger, now)
            if is_settled:
                await note_repair(session, EventKind.TRIGGER_LOST, trigger.row, now)
                waiting = await after_lost(session, trigger.row, now)
        if is_settled:
            self._report(EventKind.TRIGGER_LOST, trigger.tenant, trigger.schedule, trigger.row.id)
            for workflow_id in waiting:
                await release(self._client, workflow_id)

    async def _give_up(self, trigger: StuckTrigger, found: Diagnosis, now: datetime) -> None:
        async with self._database.write() as session:
            is_settled = await give_up(session, trigger, found.why, now)
            if is_settled:
                await note_repair(session, EventKind.TRIGGER_GIVEN_UP, trigger.row, now, found.why)
                waiting = await after_lost(session, trigger.row, now)
        if is_settled:
            self._report(EventKind.TRIGGER_GIVEN_UP, trigger.tenant, trigger.schedule, trigger.row.id)
            for workflow_id in waiting:
                await release(self._client, workflow_id)

    async def _explain(self, trigger: StuckTrigger, found: Diagnosis, now: datetime) -> None:
        """Say what keeps a trigger; the others of its schedule wait for the same reason."""
        key = f"{trigger.row.schedule_id or trigger.row.action_id} {found.standing}"
        if self._explained.is_over(key, now):
            self._explained.note(key, now)
            await self._note(EventKind.TRIGGER_STUCK, trigger, now, found.why)

    async def _note(self, kind: EventKind, trigger: StuckTrigger, now: datetime, why: str) -> None:
        async with self._database.write() as session:
            await note_repair(session, kind, trigger.row, now, why)
        self._report(kind, trigger.tenant, trigger.schedule, trigger.row.id)

    def _report(self, kind: EventKind, tenant: str, schedule: str | None, trigger: str = "") -> None:
        self._metrics.repairs.labels(tenant, schedule or "", kind.value).inc()
        fields = {"kind": kind.value, "tenant": tenant, "schedule": schedule or "", "trigger": trigger}
        log.warning("the watchdog repaired something", extra=fields)
