"""The worker process: polls the system queue and the queues of its pool's tenants."""

import asyncio
import logging
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from activities.allocator import Allocator
from activities.evaluator import Evaluator
from activities.finisher import Finisher
from activities.runtime import Parts, Runtime
from activities.stage_runner import StageRunner
from activities.stages.catalogue import KINDS
from cronny.clock import wall_clock
from cronny.egress import EgressPolicy
from cronny.errors import CronnyError, Unavailable
from cronny.logs import configure_logging
from cronny.names import SYSTEM_QUEUE, tenant_queue
from cronny.secrets import KeyRing
from cronny.settings import Settings
from cronny.store.database import Database
from cronny.store.tenants import Tenants
from cronny.temporal.connection import check, connect, ensure_search_attributes
from cronny.watchdog import Watchdog
from workflows.schedule import Schedule
from workflows.trigger import Trigger

FOLLOW = 2.0  # seconds between two looks at the tenant table
GRACE = timedelta(seconds=5)  # for running stages at shutdown; holds are given back at once
RETRY_CONNECT = 1.0  # seconds between tries while Temporal is away
TENANT_SLOTS = 1000  # activities a tenant holds or runs at once; holding costs only a coroutine

log = logging.getLogger("cronny.worker")


class WorkerProcess:
    """The Worker objects of one process: one for the system, one for each tenant of the pool."""

    def __init__(self, client: Client, runtime: Runtime, settings: Settings) -> None:
        self._client = client
        self._runtime = runtime
        self._settings = settings
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="workflow")
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._workers: dict[str, Worker] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then give back what is held and end what runs."""
        self._serve(SYSTEM_QUEUE, self._system_worker())
        parts = self._runtime.parts
        name = f"{socket.gethostname()}/{os.getpid()}"
        watchdog = asyncio.create_task(Watchdog(parts.database, self._client, parts.clock, name).run())
        while not stop.is_set():
            await self._follow_tenants()
            await _wait(stop, FOLLOW)
        watchdog.cancel()
        self._runtime.holds.give_back()
        await asyncio.gather(*[worker.shutdown() for worker in self._workers.values()])
        self._threads.shutdown(wait=False)

    async def _follow_tenants(self) -> None:
        async with self._runtime.parts.database.read() as session:
            tenants = await Tenants(session).of_pool(self._settings.pool)
        wanted = {tenant_queue(tenant.slug) for tenant in tenants}
        for queue in wanted - self._workers.keys():
            self._serve(queue, self._tenant_worker(queue))
            log.info("serving a tenant", extra={"queue": queue})
        for queue in self._workers.keys() - wanted - {SYSTEM_QUEUE}:
            await self._workers.pop(queue).shutdown()
            log.info("no longer serving a tenant", extra={"queue": queue})

    def _serve(self, queue: str, worker: Worker) -> None:
        self._workers[queue] = worker
        self._tasks[queue] = asyncio.create_task(worker.run())

    def _system_worker(self) -> Worker:
        allocator = Allocator(self._runtime)
        return self._worker(
            SYSTEM_QUEUE,
            workflows=[Schedule],
            activities=[allocator.allocate],
            max_cached_workflows=2000,
            max_concurrent_workflow_tasks=20,
            max_concurrent_local_activities=50,
        )

    def _tenant_worker(self, queue: str) -> Worker:
        stages, ends = StageRunner(self._runtime), Finisher(self._runtime)
        return self._worker(
            queue,
            workflows=[Trigger],
            activities=[
                stages.run_stage,
                stages.run_pure_stage,
                stages.skip_stage,
                ends.load_plan,
                ends.finish,
            ],
            max_cached_workflows=TENANT_SLOTS,
            max_concurrent_workflow_tasks=5,
            max_concurrent_activities=TENANT_SLOTS,
            max_concurrent_local_activities=50,
        )

    def _worker(self, queue: str, **options: object) -> Worker:
        return Worker(
            self._client,
            task_queue=queue,
            workflow_runner=UnsandboxedWorkflowRunner(),
            workflow_task_executor=self._threads,
            workflow_task_poller_behavior=PollerBehaviorAutoscaling(minimum=1, initial=1),
            activity_task_poller_behavior=PollerBehaviorAutoscaling(minimum=1, initial=1),
            graceful_shutdown_timeout=GRACE,
            **options,  # type: ignore[arg-type]  # each is named as Worker names it
        )


async def serve(settings: Settings) -> None:
    """Connect everything and serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = Database(settings.database_url)
    evaluator = Evaluator()
    try:
        client = await _reach_temporal(settings, stop)
        if client is not None:
            parts = Parts(
                database=database,
                evaluator=evaluator,
                keyring=KeyRing(settings.secret_key_text().get_secret_value()),
                kinds=KINDS,
                clock=wall_clock,
                egress=EgressPolicy(allow=settings.egress_allow),
            )
            await WorkerProcess(client, Runtime(parts), settings).run(stop)
    finally:
        await evaluator.close()
        await database.close()


async def _reach_temporal(settings: Settings, stop: asyncio.Event) -> Client | None:
    client = await connect(settings)
    while not stop.is_set():
        try:
            await check(client)
            await ensure_search_attributes(client)
        except Unavailable as error:
            log.warning("waiting for Temporal", extra={"reason": str(error)})
            await _wait(stop, RETRY_CONNECT)
        else:
            log.info("connected to Temporal", extra={"address": settings.temporal_target})
            return client
    return None


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def main() -> None:
    """Run the worker of this installation."""
    settings = Settings()
    configure_logging(settings.log_format)
    try:
        asyncio.run(serve(settings))
    except CronnyError as error:
        log.error("the worker stops", extra={"reason": str(error)})
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
