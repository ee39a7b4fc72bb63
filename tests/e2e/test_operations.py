"""Single fires and backfills on a real Temporal, on both databases' code paths through the worker's loops."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.tenant import TenantClient, until

ACTION = """version: 1
name: note
inputs: {word: {type: string, default: usual}}
stages:
  - {id: say, uses: set, with: {values: {word: "${{ inputs.word }}", due: "${{ string(trigger.due) }}"}}}
outputs: {word: "${{ stages.say.output.word }}"}
"""


@pytest.fixture
def noting(tenant: TenantClient) -> TenantClient:
    tenant.put_action("note", ACTION)
    return tenant


def soon(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


def text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def post(tenant: TenantClient, *path: str, **body: Any) -> Any:
    answer = tenant.http.post("/v1/schedules/" + "/".join(path), json=body)
    assert answer.is_success, answer.text
    return answer.json()


def ended(tenant: TenantClient, schedule: str, due: datetime) -> dict[str, Any]:
    """The trigger of a fire, once it has ended."""

    def found() -> list[dict[str, Any]]:
        rows = [row for row in tenant.triggers(schedule) if row["due"] == text(due)]
        return [row for row in rows if row["state"] not in ("scheduled", "executing")]

    return tenant.trigger(until(found, bool)[0]["id"])


def once(tenant: TenantClient, due: datetime) -> None:
    tenant.put_schedule("once", action="note", schedule=text(due))


@pytest.mark.parametrize("ahead", [3, 12], ids=["allocated", "not-yet"])
def test_a_skipped_fire_is_not_executed(noting: TenantClient, ahead: int) -> None:
    due = soon(ahead)
    once(noting, due)
    post(noting, "once", "fires", text(due), "skip")
    trigger = ended(noting, "once", due)
    assert (trigger["state"], trigger["reason"], trigger["started"]) == ("skipped", "operator", None)


@pytest.mark.parametrize(
    ("ahead", "to"), [(3, 7), (12, 7), (3600, 6)], ids=["later", "earlier", "much-earlier"]
)
def test_a_moved_fire_starts_when_it_was_moved_to(noting: TenantClient, ahead: int, to: int) -> None:
    due, planned = soon(ahead), soon(to)
    once(noting, due)
    post(noting, "once", "fires", text(due), "move", to=text(planned))
    trigger = ended(noting, "once", due)
    assert (trigger["state"], trigger["planned"]) == ("completed", text(planned))
    assert 0 <= trigger["lateness_ms"] < 2000


def test_a_fire_whose_skip_is_undone_starts_on_time(noting: TenantClient) -> None:
    due = soon(4)
    once(noting, due)
    post(noting, "once", "fires", text(due), "skip")
    assert noting.http.delete(f"/v1/schedules/once/fires/{text(due)}").status_code == 204
    trigger = ended(noting, "once", due)
    assert trigger["state"] == "completed"
    assert trigger["lateness_ms"] < 2000


def test_a_fire_is_given_other_inputs(noting: TenantClient) -> None:
    due = soon(4)
    once(noting, due)
    post(noting, "once", "fires", text(due), "inputs", inputs={"word": "unusual"})
    assert ended(noting, "once", due)["outputs"] == {"word": "unusual"}


@pytest.fixture
def hourly(noting: TenantClient) -> TenantClient:
    noting.put_schedule(
        "hourly", action="note", schedule={"every": "1 hour", "start": "2026-01-01T00:00:00Z"}
    )
    return noting


def test_a_backfill_executes_each_fire_of_the_past_once(hourly: TenantClient) -> None:
    day = {"from": "2026-01-05T00:00:00Z", "to": "2026-01-05T23:30:00Z"}
    started = post(hourly, "hourly", "backfills", rate=6000, overlap="allow", inputs={"word": "again"}, **day)
    path = f"/v1/schedules/hourly/backfills/{started['id']}"
    done = until(lambda: hourly.http.get(path).json(), lambda one: one["state"] != "running")
    assert (done["state"], done["done"], done["failed"]) == ("completed", 24, 0)
    rows = [row for row in hourly.triggers("hourly") if row["backfill"] == started["id"]]
    assert sorted(row["due"][11:13] for row in rows) == [f"{hour:02}" for hour in range(24)]
    assert hourly.trigger(rows[0]["id"])["outputs"] == {"word": "again"}


def test_a_backfill_keeps_to_its_rate_and_is_cancelled(hourly: TenantClient) -> None:
    day = {"from": "2026-01-05T00:00:00Z", "to": "2026-01-05T23:30:00Z"}
    started = post(hourly, "hourly", "backfills", rate=60, **day)
    path = f"/v1/schedules/hourly/backfills/{started['id']}"
    until(lambda: hourly.http.get(path).json()["done"], lambda done: done >= 3)
    elapsed = datetime.now(UTC) - datetime.fromisoformat(started["created"])
    assert elapsed > timedelta(seconds=1.9)
    post(hourly, "hourly", "backfills", started["id"], "cancel")
    done = until(lambda: hourly.http.get(path).json(), lambda one: one["executing"] == 0)
    assert (done["state"], done["done"], done["failed"]) == ("cancelled", 24, 0)
