from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server

DAILY = {"action": "ping", "schedule": "every day at 09:00"}
SLACK = {"kind": "slack", "settings": {"token": "hidden"}}


async def events(client: AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """The latest first."""
    items: list[dict[str, Any]] = (await client.get("/v1/events", params=query)).json()["items"]
    return items


async def kinds(client: AsyncClient, **query: Any) -> list[str]:
    return [event["kind"] for event in await events(client, **query)][::-1]


@pytest.fixture
async def daily(each_acme: AsyncClient) -> AsyncClient:
    """A tenant with an action and the schedule `daily` of it."""
    await each_acme.put("/v1/actions/ping", content=PING)
    await each_acme.put("/v1/schedules/daily", json=DAILY)
    return each_acme


CHANGES: list[tuple[str, str, dict[str, Any] | None]] = [
    ("PUT", "", {**DAILY, "inputs": {"region": "us"}}),
    ("POST", "/pause", {"note": "not today"}),
    ("POST", "/resume", None),
    ("POST", "/trigger", None),
    ("DELETE", "", None),
]


async def test_each_change_of_a_schedule_is_an_event(each_server: Server, daily: AsyncClient) -> None:
    for method, path, body in CHANGES:
        each_server.clock.advance(timedelta(seconds=1))
        await daily.request(method, f"/v1/schedules/daily{path}", json=body)
    assert await kinds(daily, schedule="daily") == [
        *("schedule_created", "schedule_changed", "schedule_paused"),
        *("schedule_resumed", "trigger_requested", "schedule_deleted"),
    ]


async def test_an_event_says_who_did_what_and_why(server: Server, acme: AsyncClient) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    await acme.put("/v1/schedules/daily", json=DAILY)
    await acme.post("/v1/schedules/daily/pause", json={"note": "not today"})
    (event,) = await events(acme, kind="schedule_paused")
    event.pop("id")
    assert event == {
        "at": "2026-03-02T08:00:00Z",
        "kind": "schedule_paused",
        "actor": "test",
        "note": "not today",
        "action": "ping",
        "schedule": "daily",
        "trigger": None,
        "details": {},
    }


async def test_a_saved_schedule_leaves_its_rule_in_the_event(daily: AsyncClient) -> None:
    (event,) = await events(daily, kind="schedule_created")
    assert event["details"] == {
        "schedule": "every day at 09:00",
        "anchor": "2026-03-02T08:00:00Z",
        "paused": False,
        "generation": 1,
    }


async def test_what_changes_nothing_is_no_event(daily: AsyncClient) -> None:
    before = await kinds(daily)
    await daily.put("/v1/actions/ping", content=PING)
    await daily.put("/v1/schedules/daily", json=DAILY)
    await daily.post("/v1/schedules/daily/resume")
    await daily.put("/v1/schedules/daily", json={**DAILY, "schedule": "every day at 25:00"})
    assert await kinds(daily) == before


async def test_an_upload_notes_what_it_does_to_the_schedules_in_it(server: Server, acme: AsyncClient) -> None:
    for rule in ("schedule: every day at 09:00\n", "schedule: every day at 10:00\n", ""):
        server.clock.advance(timedelta(seconds=1))
        await acme.put("/v1/actions/ping", content=PING + rule)
    assert await kinds(acme, action="ping") == [
        *("action_saved", "schedule_created", "action_saved", "schedule_changed"),
        *("action_saved", "schedule_deleted"),
    ]


async def test_a_connection_is_noted_without_its_settings(server: Server, acme: AsyncClient) -> None:
    await acme.put("/v1/connections/team", json=SLACK)
    server.clock.advance(timedelta(seconds=1))
    await acme.delete("/v1/connections/team")
    assert [(event["kind"], event["details"]) for event in await events(acme)] == [
        ("connection_deleted", {"connection": "team"}),
        ("connection_saved", {"connection": "team", "revision": 1}),
    ]


async def test_a_run_by_hand_is_an_event_of_its_trigger(daily: AsyncClient) -> None:
    trigger = (await daily.post("/v1/actions/ping/run")).json()["id"]
    assert [event["kind"] for event in await events(daily, trigger=trigger)] == ["trigger_requested"]


async def test_events_come_page_by_page(daily: AsyncClient) -> None:
    first = (await daily.get("/v1/events", params={"limit": 1})).json()
    second = (await daily.get("/v1/events", params={"limit": 1, "cursor": first["next"]})).json()
    seen = {event["kind"] for event in [*first["items"], *second["items"]]}
    assert (seen, second["next"]) == ({"action_saved", "schedule_created"}, None)


async def test_events_of_another_tenant_are_not_to_be_seen(server: Server, acme: AsyncClient) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    assert await kinds(await server.tenant("globex")) == []


@pytest.mark.parametrize(
    "query",
    [{"kind": "odd"}, {"trigger": "x"}, {"schedule": "No Name"}, {"cursor": "rubbish"}, {"limit": "0"}],
)
async def test_a_wrong_query_is_refused(acme: AsyncClient, query: dict[str, str]) -> None:
    answer = await acme.get("/v1/events", params=query)
    assert answer.status_code == 422
    places = [one["where"].removesuffix(".0") for one in answer.json()["problems"]]
    assert places == [f"query.{name}" for name in query]
