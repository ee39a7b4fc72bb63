"""What becomes of triggers whose schedule says more than when: overlap, deadlines, pauses."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from cronny.settings import Settings
from cronny.temporal.connection import connect
from tests.e2e.installation import Installation
from tests.e2e.tenant import TenantClient, until
from tests.servers import http
from tests.servers.http import Reply, Server, json_reply

LONG = 4.5  # seconds that the first of some triggers takes, which are due one second after the other
ENDLESS = 30.0  # seconds, for one that is to be ended: a stage hears of that with its heartbeat
CALL = """\
version: 1
name: call
inputs: {{path: {{type: string}}}}
stages:
  - {{id: call, uses: http, with: {{method: POST, url: "{url}/${{{{ inputs.path }}}}"}}}}
"""
FAIL = "version: 1\nname: broken\nstages: [{id: a, uses: fail, with: {message: so it is}}]\n"

DONE, LEFT_OUT = ("completed", ""), ("skipped", "overlap")
ENDS = {
    "allow": [DONE, DONE, DONE],
    "skip": [DONE, LEFT_OUT, LEFT_OUT],
    "queue_one": [DONE, DONE, LEFT_OUT],
    "queue_all": [DONE, DONE, DONE],
    "cancel_running": [("cancelled", "overlap_cancelled"), DONE],
    "kill_running": [("cancelled", "overlap_killed"), DONE],
}

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def called() -> Iterator[Server]:
    """A server whose first answer on each path comes late."""
    with http.running() as server:
        yield server


@pytest.fixture(scope="module")
def rows(installation: Installation, called: Server) -> dict[str, Rows]:
    """The triggers of a schedule for each overlap policy, by due."""
    tenant = installation.add_tenant(f"t-{uuid4().hex[:8]}")
    tenant.put_action("call", CALL.format(url=called.url))
    for policy, ends in ENDS.items():
        delay = LONG if ends[0] == DONE else ENDLESS
        called.answer(f"/{policy}", Reply(delay=delay), json_reply({}))
        put(tenant, policy, policy, len(ends), overlap=policy)
    return {policy: ended(tenant, policy, len(ends)) for policy, ends in ENDS.items()}


def put(tenant: TenantClient, name: str, path: str, fires: int, **options: Any) -> dict[str, Any]:
    """A schedule that fires each second, so many times."""
    begin = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=4)
    end = begin + timedelta(seconds=fires - 1)
    rule = {"every": "1s", "start": begin.isoformat(), "end": end.isoformat(), **options}
    return tenant.put_schedule(name, action="call", schedule=rule, inputs={"path": path})


def ended(tenant: TenantClient, name: str, count: int) -> Rows:
    """The rows of a schedule once all have ended, by due."""
    rows = until(
        lambda: tenant.triggers(name),
        lambda rows: len(rows) == count and all(row["finished"] for row in rows),
    )
    return rows[::-1]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("policy", ENDS)
def test_a_trigger_that_is_due_while_another_executes(rows: dict[str, Rows], policy: str) -> None:
    assert [(row["state"], row["reason"]) for row in rows[policy]] == ENDS[policy]


@pytest.mark.parametrize("policy", ["queue_one", "queue_all"])
def test_a_queued_trigger_starts_when_the_one_before_it_has_ended(rows: dict[str, Rows], policy: str) -> None:
    first, second, *_ = rows[policy]
    gap = instant(second["started"]) - instant(first["finished"])
    assert timedelta(0) <= gap < timedelta(seconds=2)
    assert second["lateness_ms"] > 2000


def test_queued_triggers_start_one_after_the_other(rows: dict[str, Rows]) -> None:
    _, second, third = rows["queue_all"]
    assert instant(third["started"]) >= instant(second["finished"])


@pytest.mark.parametrize("policy", ["cancel_running", "kill_running"])
def test_what_is_to_end_does_so_before_it_would(rows: dict[str, Rows], policy: str) -> None:
    first, second = rows[policy]
    assert instant(first["finished"]) - instant(first["started"]) < timedelta(seconds=ENDLESS)
    assert instant(second["started"]) >= instant(first["finished"])


@pytest.fixture
def caller(tenant: TenantClient, called: Server) -> TenantClient:
    """A tenant with the action that calls the server."""
    tenant.put_action("call", CALL.format(url=called.url))
    return tenant


def test_a_start_after_the_deadline_is_missed(caller: TenantClient, called: Server) -> None:
    called.answer("/late", Reply(delay=LONG), json_reply({}))
    put(caller, "late", "late", 2, overlap="queue_all", deadline="1s")
    found = [(row["state"], row["reason"]) for row in ended(caller, "late", 2)]
    assert found == [DONE, ("missed", "deadline")]


def test_a_trigger_that_completes_on_start_lets_the_next_one_start(
    caller: TenantClient, called: Server
) -> None:
    called.answer("/begun", Reply(delay=LONG))
    put(caller, "begun", "begun", 2, overlap="skip", complete_on="start")
    rows = ended(caller, "begun", 2)
    assert [(row["state"], row["reason"]) for row in rows] == [("completed", "started")] * 2
    assert all(row["finished"] == row["started"] for row in rows)


def test_a_schedule_that_keeps_failing_is_paused(tenant: TenantClient) -> None:
    tenant.put_action("broken", FAIL)
    rule = {"every": "1s", "pause_after_failures": 2, "overlap": "queue_all"}
    tenant.put_schedule("broken", action="broken", schedule=rule)
    paused = until(lambda: tenant.schedule("broken"), lambda seen: bool(seen["paused"]))
    states = [row["state"] for row in tenant.triggers("broken")][::-1]
    assert paused["note"] == "paused after 2 failures in a row"
    assert (states[:2], set(states[2:])) == (["failed", "failed"], {"skipped"})


def test_a_pause_ends_by_itself(caller: TenantClient, called: Server) -> None:
    called.answer("/again", json_reply({}))
    caller.put_schedule("again", action="call", schedule="every 1 second", inputs={"path": "again"})
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=4)
    caller.pause("again", "a moment", until=end.isoformat())
    rows = until(
        lambda: [row for row in caller.triggers("again") if row["state"] == "completed"],
        bool,
    )
    assert min(instant(row["due"]) for row in rows) > end - timedelta(seconds=1)


def test_a_lost_trigger_does_not_block_the_one_that_waits_for_it(
    installation: Installation, caller: TenantClient, called: Server
) -> None:
    called.answer("/lost", Reply(is_silent=True), json_reply({}))
    put(caller, "lost", "lost", 2, overlap="queue_all")
    rows = until(lambda: caller.triggers("lost"), lambda rows: any(row["reason"] == "queued" for row in rows))
    terminate(installation, rows[-1]["workflow_id"])
    found = [(row["state"], row["reason"]) for row in ended(caller, "lost", 2)]
    assert found == [("failed", "workflow_lost"), DONE]


def terminate(installation: Installation, workflow_id: str) -> None:
    async def run() -> None:
        client = await connect(Settings(temporal_address=installation.temporal.address))
        await client.get_workflow_handle(workflow_id).terminate("a test")

    asyncio.run(run())
