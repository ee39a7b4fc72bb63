from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server

DAILY = {"action": "ping", "schedule": "every day at 09:00"}


@pytest.fixture
async def daily(each_acme: AsyncClient) -> AsyncClient:
    """A tenant with an action and the schedule `daily` of it."""
    await each_acme.put("/v1/actions/ping", content=PING)
    await each_acme.put("/v1/schedules/daily", json=DAILY)
    return each_acme


async def ledger(client: AsyncClient) -> list[tuple[str, str, str]]:
    """Due, state and reason of every ledger row, the latest first."""
    rows = (await client.get("/v1/triggers")).json()["items"]
    return [(row["due"], row["state"], row["reason"]) for row in rows]


async def test_a_schedule_is_created_shown_and_listed(daily: AsyncClient) -> None:
    shown = (await daily.get("/v1/schedules/daily")).json()
    assert {
        key: shown[key] for key in ("action", "schedule", "embedded", "state", "paused", "generation")
    } == {
        "action": "ping",
        "schedule": "every day at 09:00",
        "embedded": False,
        "state": "pending",
        "paused": False,
        "generation": 1,
    }
    assert (await daily.get("/v1/schedules")).json()["items"] == [shown]


@pytest.mark.parametrize(
    ("edit", "generation"),
    [({}, 1), ({"schedule": "every day at 10:00"}, 2), ({"inputs": {"region": "us"}}, 2)],
)
async def test_only_a_change_starts_a_new_generation(
    daily: AsyncClient, edit: dict[str, Any], generation: int
) -> None:
    answer = await daily.put("/v1/schedules/daily", json={**DAILY, **edit})
    assert (answer.status_code, answer.json()["generation"]) == (200, generation)


async def test_a_pause_settles_what_has_not_begun(each_server: Server, daily: AsyncClient) -> None:
    each_server.clock.advance(timedelta(minutes=59, seconds=58))
    await each_server.allocate("acme", "daily")
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", "scheduled", "")]
    paused = (await daily.post("/v1/schedules/daily/pause", content="note: holiday")).json()
    assert (paused["paused"], paused["note"]) == (True, "holiday")
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", "skipped", "paused")]


async def test_what_falls_into_a_pause_is_recorded_after_the_resume(
    each_server: Server, daily: AsyncClient
) -> None:
    await daily.post("/v1/schedules/daily/pause")
    each_server.clock.advance(timedelta(hours=2))
    resumed = (await daily.post("/v1/schedules/daily/resume")).json()
    await each_server.allocate("acme", "daily")
    assert resumed["paused"] is False
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", "skipped", "paused")]


async def test_an_edit_supersedes_what_has_not_begun(each_server: Server, daily: AsyncClient) -> None:
    each_server.clock.advance(timedelta(minutes=59, seconds=58))
    await each_server.allocate("acme", "daily")
    await daily.put("/v1/schedules/daily", json={**DAILY, "schedule": "every day at 10:00"})
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", "skipped", "superseded")]


async def test_a_deleted_schedule_leaves_its_ledger(each_server: Server, daily: AsyncClient) -> None:
    each_server.clock.advance(timedelta(minutes=59, seconds=58))
    await each_server.allocate("acme", "daily")
    assert (await daily.delete("/v1/schedules/daily")).status_code == 204
    assert (await daily.get("/v1/schedules/daily")).status_code == 404
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", "skipped", "deleted")]


@pytest.mark.parametrize(("given", "region"), [({}, "us"), ({"region": "eu"}, "eu")])
async def test_triggering_adds_to_the_inputs_of_the_schedule(
    daily: AsyncClient, given: dict[str, str], region: str
) -> None:
    await daily.put("/v1/schedules/daily", json={**DAILY, "inputs": {"region": "us"}, "paused": True})
    answer = await daily.post("/v1/schedules/daily/trigger", json={"inputs": given})
    shown = (await daily.get(f"/v1/triggers/{answer.json()['id']}")).json()
    assert (answer.status_code, shown["schedule"], shown["inputs"]) == (202, "daily", {"region": region})


async def test_a_pause_may_end_by_itself(daily: AsyncClient) -> None:
    until = "2100-01-01T00:00:00Z"
    paused = (await daily.post("/v1/schedules/daily/pause", json={"until": until})).json()
    note = (await daily.get("/v1/schedules/daily/upcoming")).json()["note"]
    resumed = (await daily.post("/v1/schedules/daily/resume")).json()
    assert (paused["paused_until"], note) == (until, f"paused; nothing fires before {until}")
    assert (resumed["paused"], resumed["paused_until"]) == (False, None)


@pytest.mark.parametrize("until", ["2020-01-01T00:00:00Z", "9500-01-01T00:00:00Z", "tomorrow", "2100-01-01"])
async def test_a_pause_that_ends_at_no_time_to_come_is_refused(daily: AsyncClient, until: str) -> None:
    answer = await daily.post("/v1/schedules/daily/pause", json={"until": until})
    assert (answer.status_code, answer.json()["problems"][0]["where"]) == (422, "until")
    assert (await daily.get("/v1/schedules/daily")).json()["paused"] is False


@pytest.mark.parametrize(("with_catchup", "row"), [(True, ("scheduled", "")), (False, ("skipped", "paused"))])
async def test_what_fell_into_a_pause_is_caught_up_if_asked_for(
    each_server: Server, daily: AsyncClient, with_catchup: bool, row: tuple[str, str]
) -> None:
    await daily.post("/v1/schedules/daily/pause")
    each_server.clock.advance(timedelta(hours=2))
    await daily.post("/v1/schedules/daily/resume", json={"catchup": with_catchup})
    await each_server.allocate("acme", "daily")
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", *row)]


@pytest.mark.parametrize(
    ("until", "row"),
    [("2026-03-02T08:30:00Z", ("scheduled", "")), ("2026-03-02T09:30:00Z", ("skipped", "paused"))],
)
async def test_a_pause_that_has_come_to_its_end_lets_the_schedule_fire(
    each_server: Server, daily: AsyncClient, until: str, row: tuple[str, str]
) -> None:
    await daily.post("/v1/schedules/daily/pause", json={"until": until})
    each_server.clock.advance(timedelta(hours=2))
    await each_server.allocate("acme", "daily")
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", *row)]
    assert (await daily.get("/v1/schedules/daily")).json()["paused"] is False


async def test_what_is_to_be_asked_for_waits_for_an_approval(each_server: Server, daily: AsyncClient) -> None:
    rule = {"every": "day", "at": "09:00", "catchup": "ask"}
    await daily.put("/v1/schedules/daily", json={**DAILY, "schedule": rule})
    each_server.clock.advance(timedelta(hours=2))
    await each_server.allocate("acme", "daily")
    assert await ledger(daily) == [("2026-03-02T09:00:00Z", "missed", "awaiting_approval")]


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/v1/schedules/ping"), ("DELETE", "/v1/schedules/ping")]
)
async def test_a_schedule_written_in_an_action_is_changed_only_there(
    acme: AsyncClient, method: str, path: str
) -> None:
    await acme.put("/v1/actions/ping", content=PING + "schedule: every day at 09:00\n")
    answer = await acme.request(method, path, json=DAILY)
    assert answer.status_code == 409
    assert "is written in the action 'ping'" in answer.json()["detail"]


async def test_upcoming_fires_are_told_in_utc_and_on_local_clocks(acme: AsyncClient) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    rule = {"every": "day", "at": "09:00", "timezone": "Europe/London"}
    await acme.put("/v1/schedules/daily", json={"action": "ping", "schedule": rule})
    query = {"after": "2026-03-28T12:00:00Z", "count": "1"}
    assert (await acme.get("/v1/schedules/daily/upcoming", params=query)).json() == {
        "schedule": "daily",
        "timezone": "Europe/London",
        "fires": [
            {
                "due": "2026-03-29T08:00:00Z",
                "local": "2026-03-29T09:00:00+01:00",
                "clock_change": "",
                "planned": "2026-03-29T08:00:00Z",
                "skipped": False,
                "moved": False,
                "other_inputs": False,
                "note": "",
            }
        ],
        "note": "",
    }


async def test_upcoming_fires_that_clock_changes_touch_are_marked(acme: AsyncClient) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    rule = "30 1 * * * Europe/London"
    await acme.put("/v1/schedules/daily", json={"action": "ping", "schedule": rule})
    query = {"after": "2026-03-28T12:00:00Z", "count": "2"}
    fires = (await acme.get("/v1/schedules/daily/upcoming", params=query)).json()["fires"]
    assert [fire["clock_change"] for fire in fires] == ["gap", ""]


async def test_upcoming_fires_of_a_paused_schedule_say_so(acme: AsyncClient) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    await acme.put("/v1/schedules/daily", json={**DAILY, "paused": True})
    upcoming = (await acme.get("/v1/schedules/daily/upcoming")).json()
    assert len(upcoming["fires"]) == 10
    assert upcoming["note"] == "paused; nothing fires before it is resumed"


REFUSED: list[tuple[str, list[tuple[str, int, int]]]] = [
    ("{action: ping, schedule: every day at 25:00}", [("schedule", 1, 39)]),
    ("action: ping\nschedule: {every: day, at: '25:00'}", [("schedule.at", 2, 29)]),
    ("action: ping\nschedule: 2026-02-30 09:00", [("schedule", 2, 11)]),
    ("action: ping\nschedule: 2020-01-01 09:00", [("schedule", 2, 11)]),
    ("action: ping\nschedule: {at: 2020-01-01 09:00}", [("schedule.at", 2, 16)]),
    ("action: ping\nschedule: every day at 09:00 Mars/Base", [("schedule", 2, 30)]),
    ("action: nope\nschedule: every day at 09:00", [("action", 1, 9)]),
    ('action: "\\0"\nschedule: every day at 09:00', [("action", 1, 9)]),
    ("action: ping\nschedule: every day at 09:00\ninputs: {region: mars}", [("inputs.region", 3, 18)]),
    ("action: ping", [("document", 1, 1)]),
    ("action: ping\nschedule: every day at 09:00\npuased: true", [("puased", 3, 1)]),
]


@pytest.mark.parametrize(("text", "places"), REFUSED)
async def test_a_wrong_schedule_is_refused_at_its_place(
    acme: AsyncClient, text: str, places: list[tuple[str, int, int]]
) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    answer = await acme.put("/v1/schedules/daily", content=text)
    assert answer.status_code == 422
    problems = answer.json()["problems"]
    assert [(one["where"], one["line"], one["column"]) for one in problems] == places
    assert (await acme.get("/v1/schedules")).json()["items"] == []
