"""What must hold whatever happens: never early, never twice, nothing lost, and a pause that is exact."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.e2e.installation import Installation
from tests.e2e.tenant import TenantClient, until
from tests.servers import http
from tests.servers.http import Server, json_reply

HERD = 200
CALL = """\
version: 1
name: call
stages:
  - id: call
    uses: http
    with: {{method: POST, url: "{url}/called", json: {{due: "${{{{ trigger.due }}}}"}}}}
"""
NOTHING = "version: 1\nname: nothing\nstages: [{id: one, uses: set, with: {values: {}}}]\n"


@pytest.fixture
def called() -> Iterator[Server]:
    """A server that notes what it is asked."""
    with http.running(lambda _: json_reply({})) as server:
        yield server


def due_in(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


def at(due: datetime) -> dict[str, str]:
    return {"at": due.isoformat()}


def is_ended(rows: list[dict[str, Any]]) -> bool:
    return len(rows) > 0 and all(row["state"] not in ("scheduled", "executing") for row in rows)


def test_a_worker_killed_in_the_hold_loses_nothing_and_does_nothing_twice(
    lone_installation: Installation, called: Server
) -> None:
    tenant = lone_installation.add_tenant("herd")
    tenant.put_action("call", CALL.format(url=called.url))
    due = due_in(30)
    with ThreadPoolExecutor(8) as threads:
        names = [f"s{number}" for number in range(HERD)]
        list(threads.map(lambda name: tenant.put_schedule(name, action="call", schedule=at(due)), names))
    until(lambda: len(tenant.triggers(state="scheduled")), lambda count: count == HERD)
    lone_installation.stop("worker", signal.SIGKILL)
    lone_installation.start("worker")
    rows = until(tenant.triggers, lambda rows: len(rows) == HERD and is_ended(rows))
    assert {row["state"] for row in rows} == {"completed"}
    assert all(row["lateness_ms"] >= 0 for row in rows)
    keys = [request.headers["idempotency-key"] for request in called.requests]
    assert sorted(keys) == sorted(f"{row['id']}/call" for row in rows)


def test_triggers_killed_while_they_execute_carry_the_same_key_again(
    lone_installation: Installation, called: Server
) -> None:
    tenant = lone_installation.add_tenant("flight")
    tenant.put_action("call", CALL.format(url=called.url))
    called.answer("/called", http.Reply(delay=3), json_reply({}))
    trigger = tenant.start("call")
    called.wait_for(lambda: len(called.requests) == 1)
    lone_installation.stop("worker", signal.SIGKILL)
    lone_installation.start("worker")
    ended = tenant.ended(trigger["id"])
    keys = [request.headers["idempotency-key"] for request in called.requests]
    assert (ended["state"], keys) == ("completed", [f"{trigger['id']}/call"] * 2)


def test_a_pause_a_second_before_the_due_prevents_the_trigger(tenant: TenantClient, called: Server) -> None:
    tenant.put_action("call", CALL.format(url=called.url))
    due = due_in(6)
    for number in range(10):
        tenant.put_schedule(f"p{number}", action="call", schedule=at(due))
    until(lambda: datetime.now(UTC), lambda now: now >= due - timedelta(seconds=1))
    for number in range(10):
        tenant.pause(f"p{number}", "not today")
    until(lambda: datetime.now(UTC), lambda now: now >= due + timedelta(seconds=2))
    rows = [(row["state"], row["reason"]) for row in tenant.triggers()]
    assert (rows, called.requests) == ([("skipped", "paused")] * 10, [])


def test_an_edit_supersedes_what_was_allocated(tenant: TenantClient) -> None:
    tenant.put_action("nothing", NOTHING)
    tenant.put_schedule("moved", action="nothing", schedule=at(due_in(5)))
    until(lambda: tenant.triggers("moved"), bool)
    tenant.put_schedule("moved", action="nothing", schedule=at(due_in(2)))
    rows = until(lambda: tenant.triggers("moved"), lambda rows: len(rows) == 2 and is_ended(rows))
    assert [(row["state"], row["reason"]) for row in rows] == [("skipped", "superseded"), ("completed", "")]


def test_schedules_are_accepted_and_fire_after_temporal_was_away(lone_installation: Installation) -> None:
    tenant = lone_installation.add_tenant("away")
    tenant.put_action("nothing", NOTHING)
    lone_installation.stop("temporal", signal.SIGKILL)
    due = due_in(3)
    tenant.put_schedule("patient", action="nothing", schedule=at(due))
    readiness = httpx.get(f"{lone_installation.settings.api_url}/readyz", timeout=10)
    assert (readiness.status_code, "Temporal" in readiness.text) == (503, True)
    until(lambda: datetime.now(UTC), lambda now: now >= due)
    lone_installation.start_temporal()
    rows = until(lambda: tenant.triggers("patient"), is_ended, limit=20)
    assert [row["state"] for row in rows] == ["completed"]


def test_a_restart_of_everything_catches_up(lone_installation: Installation) -> None:
    tenant = lone_installation.add_tenant("again")
    tenant.put_action("nothing", NOTHING)
    due = due_in(4)
    tenant.put_schedule("slept", action="nothing", schedule=at(due))
    for module in ("worker", "api", "temporal"):
        lone_installation.stop(module)
    until(lambda: datetime.now(UTC), lambda now: now >= due)
    lone_installation.start_temporal()
    for module in ("api", "worker"):
        lone_installation.start(module)
    lone_installation.wait_ready()
    rows = until(lambda: tenant.triggers("slept"), is_ended, limit=30)
    assert [row["state"] for row in rows] == ["completed"]


def test_a_frequent_schedule_fires_on_each_due_once(tenant: TenantClient) -> None:
    tenant.put_action("nothing", NOTHING)
    begin = due_in(3)
    rule = {"every": "1s", "start": begin.isoformat(), "end": (begin + timedelta(seconds=9)).isoformat()}
    tenant.put_schedule("often", action="nothing", schedule=rule)
    rows = until(lambda: tenant.triggers("often"), lambda rows: len(rows) == 10 and is_ended(rows))
    dues = [datetime.fromisoformat(row["due"]) for row in reversed(rows)]
    assert dues == [begin + timedelta(seconds=number) for number in range(10)]
    assert {row["state"] for row in rows} == {"completed"}
