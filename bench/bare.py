"""The same work in bare Temporal, as its tutorials write it: `python -m bench.bare ADDRESS` is its worker."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from bench.sink import SINK_PATH, Sink

QUEUE = "bare"
DUE = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
LIMIT = timedelta(minutes=10)
SINK = Sink(Path(os.environ.get(SINK_PATH, os.devnull)))


@activity.defn
async def mark(fire: str, due: float) -> None:
    SINK.hit(fire, due)


@activity.defn
async def noop() -> None:
    return


@workflow.defn
class Child:
    """The action: one activity."""

    @workflow.run
    async def run(self, fire: str, due: float) -> None:
        await workflow.execute_activity(mark, args=[fire, due], start_to_close_timeout=LIMIT)


@workflow.defn
class Scheduled:
    """What one of Temporal's own schedules starts: its due is the one that Temporal tells."""

    @workflow.run
    async def run(self, name: str) -> None:
        due = workflow.info().typed_search_attributes.get(DUE)
        assert due is not None
        fire = f"{name}/{due.timestamp():.0f}"
        await workflow.execute_activity(mark, args=[fire, due.timestamp()], start_to_close_timeout=LIMIT)


@workflow.defn
class Sleeper:
    """A schedule: sleeps to each due, then starts the action as a child, so many times."""

    @workflow.run
    async def run(self, due: float, every: float, times: int, has_child: bool) -> None:
        name = workflow.info().workflow_id[-16:]
        for number in range(times):
            await workflow.sleep(max(0.0, due + number * every - workflow.time()))
            await self._fire(f"{name}/{number}", due + number * every, has_child)

    async def _fire(self, fire: str, due: float, has_child: bool) -> None:
        if has_child:
            await workflow.execute_child_workflow(Child.run, args=[fire, due])
        else:
            await workflow.execute_activity(mark, args=[fire, due], start_to_close_timeout=LIMIT)


@workflow.defn
class Chain:
    """Activities one after the other."""

    @workflow.run
    async def run(self, length: int) -> None:
        for _ in range(length):
            await workflow.execute_activity(noop, start_to_close_timeout=LIMIT)


async def serve(address: str) -> None:
    """Serve the bare arm's queue until killed."""
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[Child, Scheduled, Sleeper, Chain],
        activities=[mark, noop],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=20_000,
        max_concurrent_workflow_tasks=200,
        max_concurrent_activities=1000,
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
