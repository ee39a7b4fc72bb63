"""Workers that execute the real workflows on a real Temporal server, with scripted ports."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle
from temporalio.common import Priority
from temporalio.worker import Worker, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from cronny.names import schedule_workflow, tenant_queue
from cronny.settings import Settings
from cronny.temporal.connection import check, connect
from dsl.plan import Plan
from tests.workflows.plans import make_fire
from tests.workflows.scripted import ScriptedPorts
from workflows.checking import ConnectionCheck
from workflows.foreach import Foreach
from workflows.messages import AllocateCall, Fire
from workflows.schedule import Schedule, first_call, search_attributes
from workflows.trigger import Trigger

PATIENCE = 20.0  # seconds
SHORT = timedelta(seconds=2)  # a workflow task; what waits in one hears of news after 0.8 of it


@dataclass
class Stand:
    """A tenant of its own: its queue, its schedule, its triggers."""

    client: Client
    ports: ScriptedPorts = field(default_factory=ScriptedPorts)
    tenant: str = field(default_factory=lambda: f"t{uuid4().hex[:12]}")

    @property
    def system_queue(self) -> str:
        return f"system-{self.tenant}"

    @asynccontextmanager
    async def serving(self, runner: WorkflowRunner | None = None, **options: Any) -> AsyncIterator[None]:
        """Serve both queues."""
        system = self._worker(self.system_queue, [Schedule], runner, options)
        ours = [Trigger, Foreach, ConnectionCheck]
        async with system, self._worker(tenant_queue(self.tenant), ours, runner, options):
            yield

    async def start_trigger(self, fire: Fire | None = None) -> WorkflowHandle[Trigger, None]:
        fire = fire or make_fire(self.tenant)
        return await self.client.start_workflow(
            Trigger.run,
            fire,
            id=fire.workflow_id,
            task_queue=tenant_queue(self.tenant),
            task_timeout=SHORT,
        )

    async def execute(self, plan: Plan, fire: Fire | None = None) -> WorkflowHandle[Trigger, None]:
        """Execute a trigger to its end."""
        self.ports.plan = plan
        handle = await self.start_trigger(fire)
        await handle.result()
        return handle

    async def start_schedule(
        self, name: str = "hourly", call: AllocateCall | None = None
    ) -> WorkflowHandle[Schedule, None]:
        return await self.client.start_workflow(
            Schedule.run,
            call or first_call(self.tenant, f"sch_{name}"),
            id=schedule_workflow(self.tenant, name),
            task_queue=self.system_queue,
            search_attributes=search_attributes(self.tenant, "check_orders", name),
            static_summary=f"schedule {name} of {self.tenant}",
            priority=Priority(fairness_key=self.tenant),
            task_timeout=SHORT,
        )

    def _worker(
        self, queue: str, workflows: Sequence[type], runner: WorkflowRunner | None, options: dict[str, Any]
    ) -> Worker:
        ports = self.ports
        executing = [ports.run_stage, ports.run_pure_stage, ports.skip_stage]
        stages = [*executing, ports.abandon_stage, ports.close_items]
        return Worker(
            self.client,
            task_queue=queue,
            workflows=workflows,
            activities=[
                ports.allocate,
                ports.load_plan,
                *stages,
                ports.try_outputs,
                ports.finish,
                ports.check_connection,
            ],
            workflow_runner=runner or SandboxedWorkflowRunner(),
            max_heartbeat_throttle_interval=timedelta(milliseconds=50),
            **options,
        )


async def make_stand(address: str) -> Stand:
    """A stand on the server at this address."""
    client = await connect(Settings(temporal_address=address))
    await check(client)
    return Stand(client)


async def wait_for(handle: WorkflowHandle[Any, Any], event: str, count: int = 1) -> HistoryEvent:
    """The `count`th event of this type, once the workflow's history has it."""
    wanted = EventType.Value(f"EVENT_TYPE_{event}")
    async with asyncio.timeout(PATIENCE):
        async for found in handle.fetch_history_events(wait_new_event=True):
            count -= found.event_type == wanted
            if count == 0:
                return found
    raise AssertionError(f"the workflow ended without {event}")


async def events_of(handle: WorkflowHandle[Any, Any]) -> list[HistoryEvent]:
    return list((await handle.fetch_history()).events)


async def names_of(handle: WorkflowHandle[Any, Any]) -> list[str]:
    """The types of a workflow's events, such as TIMER_STARTED."""
    events = await events_of(handle)
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events]
