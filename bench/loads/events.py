"""History events of a fire: in the schedule workflow and in the trigger workflow of one stage."""

import asyncio

import httpx

from bench.arm import Arm, Recurring, soon
from bench.arms import CRONNY
from bench.loads.load import Figures, Load
from bench.stand import TENANTS, Stand
from cronny.names import schedule_workflow

FIRES = 3  # the second is counted: the first starts the workflow, the last ends it
EVERY = 61.0  # seconds: a schedule below a minute is allocated in batches
PATIENCE = 300  # seconds


def events() -> Load:
    """The load."""
    return Load("history events", [CRONNY], _run, "schedule_a_fire")


def _run(stand: Stand, arm: Arm) -> Figures:
    with arm.worker(stand):
        return asyncio.run(_measure(stand, arm))


async def _measure(stand: Stand, arm: Arm) -> Figures:
    await arm.recurring(stand, [Recurring("events", soon(15), EVERY, FIRES)])
    client = await stand.client()
    schedule = client.get_workflow_handle(schedule_workflow(TENANTS[0], "events"))
    async with stand.api() as api:
        await _completed(api, 1)
        before = await schedule.describe()
        trigger = await _completed(api, 2)
    after, child = await schedule.describe(), await client.get_workflow_handle(trigger).describe()
    return {
        "schedule_a_fire": after.history_length - before.history_length,
        "trigger": child.history_length,
    }


async def _completed(api: httpx.AsyncClient, count: int) -> str:
    """The workflow of a trigger, once so many have completed."""
    for _ in range(PATIENCE):
        answer = await api.get("/v1/triggers", params={"schedule": "events", "state": "completed"})
        rows = answer.json()["items"]
        if len(rows) >= count:
            return str(rows[0]["workflow_id"])
        await asyncio.sleep(1)
    raise RuntimeError("the triggers do not complete")
