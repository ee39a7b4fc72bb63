"""History events of a fire: in the schedule workflow and in the trigger workflow of one stage."""

import asyncio

import httpx

from bench.arm import Arm, Recurring, soon
from bench.arms import CRONNY
from bench.loads.load import Figures, Load
from bench.stand import TENANTS, Stand
from cronny.names import schedule_workflow

FIRES = 3
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
    async with stand.api() as api:
        trigger = await _last(api)
    schedule = schedule_workflow(TENANTS[0], "events")
    parent = await client.get_workflow_handle(schedule).describe()
    child = await client.get_workflow_handle(trigger).describe()
    return {"schedule_a_fire": parent.history_length / FIRES, "trigger": child.history_length}


async def _last(api: httpx.AsyncClient) -> str:
    """The workflow of a trigger, once all have completed."""
    for _ in range(PATIENCE):
        answer = await api.get("/v1/triggers", params={"schedule": "events", "state": "completed"})
        rows = answer.json()["items"]
        if len(rows) >= FIRES:
            return str(rows[0]["workflow_id"])
        await asyncio.sleep(1)
    raise RuntimeError("the triggers do not complete")
