"""What a test of the watchdog needs: rows, workflows, and rounds at any instant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from sqlalchemy import select
from sqlmodel import col
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from cronny.firing import fire_of
from cronny.metrics import Metrics
from cronny.names import schedule_workflow, trigger_workflow
from cronny.store.database import Database
from cronny.store.tables import EventRow, TriggerRow
from cronny.temporal.schedules import start_trigger
from cronny.watchdog import Watchdog
from tests.store.samples import MINUTE, NOW, Owner, add, add_owner, fire, ledger
from tests.workflows.stand import Stand
from workflows.schedule import Schedule
from workflows.trigger import Trigger


@dataclass
class Kennel:
    """A watchdog, and the time it believes in."""

    database: Database
    stand: Stand
    owner: Owner
    metrics: Metrics
    watchdog: Watchdog
    now: datetime = NOW

    @classmethod
    async def make(cls, database: Database, stand: Stand, client: Client | None = None) -> Self:
        owner, metrics = await add_owner(database, stand.tenant), Metrics()
        kennel: Self
        watchdog = Watchdog(database, client or stand.client, lambda: kennel.now, "test", metrics)
        kennel = cls(database, stand, owner, metrics, watchdog)
        return kennel

    async def round(self, now: datetime) -> None:
        self.now = now
        await self.watchdog.round()

    @property
    def schedule(self) -> WorkflowHandle[Schedule, None]:
        """The workflow of the owner's schedule."""
        name = schedule_workflow(self.stand.tenant, "often")
        return self.stand.client.get_workflow_handle_for(Schedule.run, name)

    async def add_trigger(self, due: datetime = NOW, **changes: object) -> TriggerRow:
        """An unclaimed trigger whose workflow was never started."""
        name = trigger_workflow(self.stand.tenant, "often", due)
        row = fire(self.owner, due, workflow_id=name, **changes)
        await add(self.database, row)
        return row

    async def start(self, row: TriggerRow) -> WorkflowHandle[Trigger, None]:
        """A trigger's workflow, as its schedule's would start it."""
        await start_trigger(self.stand.client, fire_of(row, self.stand.tenant, "check", "often", NOW))
        return self.workflow(row)

    def workflow(self, row: TriggerRow) -> WorkflowHandle[Trigger, None]:
        return self.stand.client.get_workflow_handle_for(Trigger.run, row.workflow_id)

    async def status(self, row: TriggerRow) -> WorkflowExecutionStatus | None:
        return (await self.workflow(row).describe()).status

    async def row(self) -> TriggerRow:
        (found,) = await ledger(self.database)
        return found

    async def events(self) -> list[tuple[str, str]]:
        """What the watchdog has written down, and why."""
        async with self.database.read() as session:
            query = select(EventRow).where(col(EventRow.actor) == "watchdog").order_by(col(EventRow.id))
            return [(str(row.kind), row.note) for row in (await session.execute(query)).scalars()]

    def repairs(self, kind: str) -> float:
        """How many repairs of the owner's schedule were counted."""
        labels = {"tenant": self.stand.tenant, "schedule": "often", "kind": kind}
        return self.metrics.registry.get_sample_value("cronny_repairs_total", labels) or 0


LATER = NOW + MINUTE
