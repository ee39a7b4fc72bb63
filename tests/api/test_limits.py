"""What a tenant may have at the most."""

from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select
from sqlmodel import col

from cronny.store.limits import Limit, set_limit
from cronny.store.tables import Tenant
from tests.api.server import PING, Server

DAILY = {"action": "ping", "schedule": "every day at 09:00"}
EMBEDDED = f"{PING}schedules: [{{id: a, every: day}}, {{id: b, every: week}}]\n"


async def limited(server: Server, **limits: int) -> None:
    """Limit the tenant `acme`."""
    async with server.parts.database.write() as session:
        tenant = (await session.execute(select(Tenant).where(col(Tenant.slug) == "acme"))).scalar_one()
        for name, most in limits.items():
            await set_limit(session, tenant, Limit(name), most)


async def test_no_further_action_than_there_may_be(each_server: Server, each_acme: AsyncClient) -> None:
    await limited(each_server, actions=1)
    await each_acme.put("/v1/actions/ping", content=PING)
    refused = await each_acme.put("/v1/actions/pong", content=PING.replace("name: ping", "name: pong"))
    assert (refused.status_code, refused.json()["code"]) == (409, "limit_reached")
    assert refused.json()["detail"] == (
        "the tenant's limit 'actions' is 1, and there are 1: delete one, or ask whoever runs this "
        "installation for more"
    )
    assert [one["name"] for one in (await each_acme.get("/v1/actions")).json()["items"]] == ["ping"]
    again = await each_acme.put("/v1/actions/ping", content=f"{PING}description: the same\n")
    assert again.status_code == 200


async def test_no_further_schedule_than_there_may_be(each_server: Server, each_acme: AsyncClient) -> None:
    await limited(each_server, schedules=1)
    await each_acme.put("/v1/actions/ping", content=PING)
    codes = [
        (await each_acme.put(f"/v1/schedules/{name}", json=DAILY)).status_code for name in ("a", "b", "a")
    ]
    assert codes == [201, 409, 200]
    assert (await each_acme.delete("/v1/schedules/a")).status_code == 204
    assert (await each_acme.put("/v1/schedules/b", json=DAILY)).status_code == 201


async def test_schedules_of_an_action_count_and_nothing_is_half_written(
    each_server: Server, each_acme: AsyncClient
) -> None:
    await limited(each_server, schedules=1)
    refused = await each_acme.put("/v1/actions/ping", content=EMBEDDED)
    assert (refused.status_code, refused.json()["code"]) == (409, "limit_reached")
    assert (await each_acme.get("/v1/actions")).json()["items"] == []


@pytest.mark.parametrize(
    ("rule", "is_fine"),
    [
        ("every 30 seconds", False),
        ("every 1 minute", True),
        ({"cron": "* * * * *"}, True),
        ({"every": "day", "at": ["09:00", "09:00:20"]}, False),
        ({"at": "2026-12-24T18:00:00Z"}, True),
    ],
)
async def test_a_rule_that_fires_too_often_is_refused_at_its_place(
    server: Server, acme: AsyncClient, rule: Any, is_fine: bool
) -> None:
    await limited(server, minimum_interval=60)
    await acme.put("/v1/actions/ping", content=PING)
    answer = await acme.put("/v1/schedules/often", json={"action": "ping", "schedule": rule})
    problems = answer.json().get("problems", [])
    assert [(one["where"], one["code"]) for one in problems] == (
        [] if is_fine else [("schedule", "limit_reached")]
    )


async def test_a_rule_that_was_saved_before_its_limit_stays(server: Server, acme: AsyncClient) -> None:
    text = f"{PING}schedule: every 5 seconds\n"
    await acme.put("/v1/actions/ping", content=text)
    await limited(server, minimum_interval=60)
    assert (await acme.put("/v1/actions/ping", content=f"{text}description: other\n")).status_code == 200
    refused = await acme.put("/v1/actions/ping", content=text.replace("5", "6"))
    (problem,) = refused.json()["problems"]
    assert problem["what"] == "fires 6s apart; the tenant's limit 'minimum_interval' is 1m"


@pytest.mark.parametrize("path", ["actions/ping/run", "schedules/daily/trigger"])
async def test_inputs_are_no_larger_than_they_may_be(server: Server, acme: AsyncClient, path: str) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    await acme.put("/v1/schedules/daily", json=DAILY)
    await limited(server, input_bytes=10)
    refused = await acme.post(f"/v1/{path}", json={"inputs": {"region": "us"}})
    assert refused.status_code == 422
    (problem,) = refused.json()["problems"]
    assert (problem["where"], problem["what"]) == (
        "inputs", "take 15 bytes; the tenant's limit 'input_bytes' is 10",
    )  # fmt: skip


async def test_limits_are_shown_beside_their_use(each_server: Server, each_acme: AsyncClient) -> None:
    await limited(each_server, running_triggers=5, minimum_interval=90)
    await each_acme.put("/v1/actions/ping", content=EMBEDDED)
    items = (await each_acme.get("/v1/limits")).json()["items"]
    assert [(one["name"], one["limit"], one["used"]) for one in items] == [
        ("running_triggers", 5, 0),
        ("schedules", None, 2),
        ("actions", None, 1),
        ("minimum_interval", "1m30s", None),
        ("input_bytes", None, None),
        ("output_bytes", None, None),
        ("kept_bytes", None, 0),
        ("retention", "90d", None),
    ]
