"""The Worker objects of one process: one for the system queue, one for each tenant of its pool."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import (
    PollerBehaviorAutoscaling,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerDeploymentConfig,
)

from activities.allocator import Allocator
from activities.checking import Checker
from activities.finisher import Finisher
from activities.runtime import Runtime
from activities.stage_runner import StageRunner
from cronny.errors import Unavailable
from cronny.names import SYSTEM_QUEUE, tenant_queue
from cronny.store.failures import meaning_of
from cronny.store.tenants import Tenants
from workflows.checking import ConnectionCheck
from workflows.foreach import Foreach
from workflows.schedule import Schedule
from workflows.trigger import Trigger

FOLLOW = 2.0  # seconds between two looks at the tenant table
GRACE = timedelta(seconds=3)  # for running stages at shutdown; holds are given back at once
HELD = 20_000  # activities a tenant holds or executes at once; holding costs only a coroutine
CACHED = 1000  # workflows of a tenant kept in memory between their tasks
THROTTLE = timedelta(seconds=3)  # heartbeats are sent this long apart at the least, whatever their timeout is
STICKY = timedelta(seconds=5)  # after this the workflows of a worker that died are taken over
# Without a version the SDK hashes every loaded module, which takes a starting worker a second or two.
VERSION = WorkerDeploymentConfig(WorkerDeploymentVersion("cronny", version("cronny")), False)
POLLERS = PollerBehaviorAutoscaling(minimum=1, initial=1)

log = logging.getLogger("cronny.worker")


@dataclass(frozen=True)
class Duty:
    """What a queue's worker does, and how much of it at once."""

    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]]
    cached_workflows: int
    workflow_tasks: int
    activity_slots: int | None  #: None if its activities are all local.


class Serving:
    """Serves queues until told to stop; what it holds is given back, what runs may end."""

    def __init__(self, client: Client, runtime: Runtime, pool: str) -> None:
        self._client = client
        self._runtime = runtime
        self._pool = pool
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="workflow")
        self._served: dict[str, tuple[Worker, asyncio.Task[None]]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; raises what a Worker object failed with."""
        self._serve(SYSTEM_QUEUE, self._system_duty())
        try:
            while not stop.is_set():
                await self._follow_tenants()
                await self._pause(stop)
        finally:
            self._runtime.holds.give_back()
            await asyncio.gather(*[self._leave(queue) for queue in list(self._served)])
            self._threads.shutdown(wait=False)

    async def _follow_tenants(self) -> None:
        try:
            async with self._runtime.parts.database.read() as session:
                tenants = await Tenants(session).of_pool(self._pool)
        except Exception as error:
            if not isinstance(meaning_of(error), Unavailable):
                raise
            log.warning("the tenant table cannot be read", extra={"reason": type(error).__name__})
            return
        wanted = {tenant_queue(tenant.slug) for tenant in tenants}
        for queue in sorted(wanted - self._served.keys()):
            self._serve(queue, self._tenant_duty())
            log.info("serving a tenant", extra={"queue": queue})
        for queue in self._served.keys() - wanted - {SYSTEM_QUEUE}:
            await self._leave(queue)
            log.info("no longer serving a tenant", extra={"queue": queue})

    async def _pause(self, stop: asyncio.Event) -> None:
        """Wait until the next look at the tenants; a Worker object that has failed ends the process."""
        stopping = asyncio.create_task(stop.wait())
        tasks = [task for _, task in self._served.values()]
        ended, _ = await asyncio.wait({stopping, *tasks}, timeout=FOLLOW, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for task in ended - {stopping}:
            task.result()
            raise RuntimeError("a worker ended by itself")

    def _serve(self, queue: str, duty: Duty) -> None:
        worker = self._worker(queue, duty)
        self._served[queue] = (worker, asyncio.create_task(worker.run()))

    async def _leave(self, queue: str) -> None:
        worker, task = self._served.pop(queue)
        await worker.shutdown()
        await asyncio.wait({task})

    def _system_duty(self) -> Duty:
        allocator = Allocator(self._runtime)
        return Duty([Schedule], [allocator.allocate], 2000, 20, None)

    def _tenant_duty(self) -> Duty:
        stages, ends = StageRunner(self._runtime), Finisher(self._runtime)
        activities: list[Callable[..., Any]] = [
            stages.run_stage,
            stages.run_pure_stage,
            stages.abandon_stage,
            stages.skip_stage,
            stages.close_items,
            ends.load_plan,
            ends.try_outputs,
            ends.finish,
            Checker(self._runtime).check_connection,
        ]
        return Duty([Trigger, Foreach, ConnectionCheck], activities, CACHED, 5, HELD)

    def _worker(self, queue: str, duty: Duty) -> Worker:
        return Worker(
            self._client,
            task_queue=queue,
            workflows=duty.workflows,
            activities=duty.activities,
            # The sandbox costs half the CPU; tests replay recorded histories inside it.
            workflow_runner=UnsandboxedWorkflowRunner(),
            workflow_task_executor=self._threads,
            max_cached_workflows=duty.cached_workflows,
            max_concurrent_workflow_tasks=duty.workflow_tasks,
            max_concurrent_activities=duty.activity_slots,
            no_remote_activities=duty.activity_slots is None,
            max_concurrent_local_activities=50,
            workflow_task_poller_behavior=POLLERS,
            activity_task_poller_behavior=POLLERS,
            sticky_queue_schedule_to_start_timeout=STICKY,
            graceful_shutdown_timeout=GRACE,
            max_heartbeat_throttle_interval=THROTTLE,
            deployment_config=VERSION,
        )
