from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server

RULE = {"every": "day", "at": "09:00", "timezone": "Europe/London"}
DAILY = {"action": "ping", "schedule": RULE}
HOUR = timedelta(hours=1)


@pytest.fixture
async def daily(each_server: Server, each_acme: AsyncClient) -> AsyncClient:
    """A tenant with a schedule at 09:00, an hour before it fires on 2 March 2026."""
    await each_acme.put("/v1/actions/ping", content=PING)
    await each_acme.put("/v1/schedules/daily", json=DAILY)
    each_server.clock.advance(timedelta(minutes=1))
    return each_acme


async def why(client: AsyncClient, at: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get("/v1/schedules/daily/why", params={"at": at})).json()
    return answer


async def test_a_fire_to_come_is_foretold(daily: AsyncClient) -> None:
    assert await why(daily, "2026-03-02 09:00") == {
        "schedule": "daily",
        "at": "2026-03-02 09:00",
        "sentence": "will fire in 59 min",
        "outcome": "will_fire",
        "due": "2026-03-02T09:00:00Z",
        "count": 1,
        "nearest": [],
        "rule": "every day at 09:00 Europe/London",
        "trigger": None,
    }


async def test_a_pause_is_told_with_who_and_why(each_server: Server, daily: AsyncClient) -> None:
    each_server.clock.advance(timedelta(minutes=58, seconds=58))
    await each_server.allocate("acme", "daily")
    await daily.post("/v1/schedules/daily/pause", json={"note": "not today"})
    told = await why(daily, "2026-03-02")
    paused = 'the schedule was paused by test at 2026-03-02 08:59:58 Europe/London, "not today"'
    assert (told["sentence"], told["trigger"]["reason"]) == (f"skipped: {paused}", "paused")
    assert (await why(daily, "2026-03-03"))["outcome"] == "will_not_fire"


async def test_a_pause_that_has_ended_is_told(each_server: Server, daily: AsyncClient) -> None:
    await daily.post("/v1/schedules/daily/pause", json={"note": "not now"})
    each_server.clock.advance(50 * HOUR)
    await daily.post("/v1/schedules/daily/resume")
    await each_server.allocate("acme", "daily")
    assert (await why(daily, "2026-03-03 09:00"))["sentence"] == (
        "one of the 3 fires between 2026-03-02 09:00 and 2026-03-04 09:00 Europe/London that were skipped: "
        'the schedule was paused by test at 2026-03-02 08:01 Europe/London, "not now"'
    )


async def test_an_edit_is_told_by_what_it_replaced(each_server: Server, daily: AsyncClient) -> None:
    each_server.clock.advance(timedelta(minutes=58, seconds=58))
    await each_server.allocate("acme", "daily")
    await daily.put("/v1/schedules/daily", json={**DAILY, "schedule": {**RULE, "at": "08:30"}})
    edited = "by test at 2026-03-02 08:59:58 Europe/London"
    assert (await why(daily, "2026-03-02 09:00"))["sentence"] == (
        f"skipped: superseded: the schedule was changed {edited}"
    )
    assert (await why(daily, "2026-03-02 08:30"))["sentence"].startswith(
        f"the rule at that time was another, every day at 09:00 Europe/London (edited {edited})"
    )


async def test_a_deleted_schedule_is_still_explained(each_server: Server, daily: AsyncClient) -> None:
    await daily.delete("/v1/schedules/daily")
    assert (await why(daily, "2026-03-02 09:00"))["sentence"] == (
        "the schedule did not exist then: it was deleted by test at 2026-03-02 08:01 Europe/London"
    )


async def test_before_it_existed_there_was_nothing_to_fire(daily: AsyncClient) -> None:
    assert (await why(daily, "2026-03-01T09:00Z"))["sentence"] == (
        "before the schedule existed: it was created by test at 2026-03-02 08:00 Europe/London"
    )


async def test_an_outage_is_told(each_server: Server, daily: AsyncClient) -> None:
    await daily.put("/v1/schedules/daily", json={**DAILY, "schedule": {**RULE, "catchup": "none"}})
    each_server.clock.advance(3 * HOUR)
    assert (await why(daily, "2026-03-02 09:00"))["outcome"] == "late"
    await each_server.allocate("acme", "daily")
    assert (await why(daily, "2026-03-02 09:00"))["sentence"] == (
        "missed: nothing could execute it between 2026-03-02 09:00 and 2026-03-02 11:01 Europe/London; "
        "catch-up is none"
    )


async def test_a_trigger_by_hand_is_told_with_who_asked(daily: AsyncClient) -> None:
    await daily.post("/v1/schedules/daily/trigger")
    told = await why(daily, "2026-03-02 08:01")
    assert (told["outcome"], told["trigger"]["number"]) == ("late", 0)


@pytest.mark.parametrize("at", ["", "now", "2026-02-30", "x" * 65, "2026-03-02 25:00", "\0"])
async def test_what_is_no_time_is_refused_at_its_place(daily: AsyncClient, at: str) -> None:
    answer = await daily.get("/v1/schedules/daily/why", params={"at": at})
    assert answer.status_code == 422
    assert [problem["where"] for problem in answer.json()["problems"]] == ["query.at"]


async def test_of_an_unknown_schedule_nothing_is_told(each_server: Server, daily: AsyncClient) -> None:
    other = await each_server.tenant("globex")
    answers = [await other.get("/v1/schedules/daily/why", params={"at": "2026-03-02"})]
    answers.append(await daily.get("/v1/schedules/nope/why", params={"at": "2026-03-02"}))
    assert [answer.status_code for answer in answers] == [404, 404]
