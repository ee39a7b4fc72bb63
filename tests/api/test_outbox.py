import asyncio
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from cronny.temporal.connection import ensure_search_attributes
from tests.api.server import PING, Server, serving

LIMIT = 20.0  # seconds


@pytest.fixture
async def connected(sqlite_url: str, temporal: str) -> AsyncIterator[Server]:
    """An API whose Temporal is there."""
    async with serving(sqlite_url, temporal) as server:
        await ensure_search_attributes(server.parts.temporal)
        yield server


async def started(client: Client, workflow: str) -> WorkflowExecutionStatus | None:
    """The status of a workflow, once it has been started."""
    async with asyncio.timeout(LIMIT):
        while True:
            try:
                return (await client.get_workflow_handle(workflow).describe()).status
            except RPCError:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("tenant", "method", "path", "body", "workflow"),
    [
        ("t1", "PUT", "schedules/daily", "{action: ping, schedule: every day}", "schedule/t1/daily"),
        ("t2", "PUT", "actions/ping", f"{PING}schedule: every day at 09:00", "schedule/t2/ping"),
        ("t3", "POST", "actions/ping/run", "{}", "ID"),
    ],
)
async def test_temporal_is_told_after_the_commit(
    connected: Server, tenant: str, method: str, path: str, body: str, workflow: str
) -> None:
    async with await connected.tenant(tenant) as client:
        await client.put("/v1/actions/ping", content=PING)
        answer = await client.request(method, f"/v1/{path}", content=body)
    assert answer.is_success, answer.text
    name = workflow if workflow != "ID" else answer.json()["workflow_id"]
    assert await started(connected.parts.temporal, name) is WorkflowExecutionStatus.RUNNING


async def test_an_upload_that_changes_nothing_tells_nobody(connected: Server) -> None:
    text = f"{PING}schedule: every day at 09:00"
    async with await connected.tenant("t4") as client:
        await client.put("/v1/actions/ping", content=text)
        handle = connected.parts.temporal.get_workflow_handle("schedule/t4/ping")
        await started(connected.parts.temporal, "schedule/t4/ping")
        await handle.terminate()
        await client.put("/v1/actions/ping", content=text)
        await connected.app.state.outbox.close()
    assert (await handle.describe()).status is WorkflowExecutionStatus.TERMINATED


async def test_a_schedule_is_told_that_its_calendar_has_changed(connected: Server) -> None:
    async with await connected.tenant("t5") as client:
        await client.put("/v1/calendars/shut", content="dates: [2026-12-24]")
        await client.put("/v1/actions/ping", content=f"{PING}schedule: every day except shut")
        handle = connected.parts.temporal.get_workflow_handle("schedule/t5/ping")
        await started(connected.parts.temporal, "schedule/t5/ping")
        await handle.terminate()
        await client.put("/v1/calendars/shut", content="dates: [2026-12-25]")
        await connected.app.state.outbox.close()
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_schedules_are_accepted_while_temporal_is_away(acme: AsyncClient) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    answer = await acme.put("/v1/schedules/daily", content="{action: ping, schedule: every day at 09:00}")
    assert (answer.status_code, answer.json()["state"]) == (201, "pending")
