from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.server import PING

DAILY = {"action": "ping", "schedule": "every day at 09:00"}
PREVIEW = "/v1/schedules/preview"


@pytest.fixture
async def daily(each_acme: AsyncClient) -> AsyncClient:
    await each_acme.put("/v1/actions/ping", content=PING)
    await each_acme.put("/v1/schedules/daily", json=DAILY)
    return each_acme


async def test_a_rule_is_shown_before_it_is_saved(acme: AsyncClient) -> None:
    rule = {"every": "day", "at": "01:30", "timezone": "Europe/London"}
    body = {"schedule": rule, "count": 2, "after": "2026-03-28T12:00:00Z"}
    assert (await acme.post(PREVIEW, json=body)).json() == {
        "description": "every day at 01:30 Europe/London",
        "timezone": "Europe/London",
        "fires": [
            {"due": "2026-03-29T01:00:00Z", "local": "2026-03-29T02:00:00+01:00", "clock_change": "gap"},
            {"due": "2026-03-30T00:30:00Z", "local": "2026-03-30T01:30:00+01:00", "clock_change": ""},
        ],
        "against": None,
        "changes": None,
    }
    assert (await acme.get("/v1/schedules")).json()["items"] == []


async def test_a_rule_is_compared_with_a_saved_one(daily: AsyncClient) -> None:
    body = {"schedule": "every weekday at 09:00 starting 2026-03-04", "name": "daily"}
    changes = (await daily.post(PREVIEW, json=body)).json()["changes"]
    assert changes["until"] == "2026-05-31T08:00:00Z"
    assert (changes["added"], changes["removed"]["count"]) == ({"count": 0, "first": []}, 27)
    assert changes["removed"]["first"][:3] == [
        "2026-03-02T09:00:00Z", "2026-03-03T09:00:00Z", "2026-03-07T09:00:00Z",
    ]  # fmt: skip


async def test_an_interval_that_stays_the_same_keeps_its_beat(daily: AsyncClient) -> None:
    rule = {"every": "7 minutes"}
    await daily.put("/v1/schedules/daily", json={**DAILY, "schedule": rule})
    body = {"schedule": {**rule, "catchup": "none"}, "name": "daily"}
    changes = (await daily.post(PREVIEW, json=body)).json()["changes"]
    assert (changes["added"]["count"], changes["removed"]["count"]) == (0, 0)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("schedule: every day at 25:00", ("schedule", 1, 24)),
        ("schedule: 2020-01-01 09:00", ("schedule", 1, 11)),
        ("schedule: every day\nname: other", ("name", 2, 7)),
        ("schedule: every day\naction: ping\ninputs: {region: mars}", ("inputs.region", 3, 18)),
        ("schedule: every day\ncount: 1000", ("count", 2, 8)),
    ],
)
async def test_what_could_not_be_saved_is_refused_at_its_place(
    daily: AsyncClient, text: str, place: tuple[str, int, int]
) -> None:
    answer = await daily.post(PREVIEW, content=text)
    (problem,) = answer.json()["problems"]
    assert (answer.status_code, (problem["where"], problem["line"], problem["column"])) == (422, place)


async def seen(client: AsyncClient) -> tuple[Any, Any]:
    """What there is, with every instant and version."""
    return (await client.get("/v1/actions")).json(), (await client.get("/v1/schedules")).json()


@pytest.mark.parametrize(
    ("text", "change", "schedules"),
    [
        (PING, "updated", [("ping", "deleted", 0, 90)]),
        (PING + "schedule: every day at 07:00\n", "updated", [("ping", "updated", 90, 90)]),
        (PING + "schedule: every day at 09:00\n", "unchanged", [("ping", "unchanged", 0, 0)]),
    ],
)
async def test_a_dry_run_says_what_an_upload_would_change(
    each_acme: AsyncClient, text: str, change: str, schedules: list[tuple[str, str, int, int]]
) -> None:
    await each_acme.put("/v1/actions/ping", content=PING + "schedule: every day at 09:00\n")
    before = await seen(each_acme)
    answer = await each_acme.put("/v1/actions/ping", params={"dry_run": "true"}, content=text)
    planned = answer.json()
    assert (answer.status_code, planned["change"]) == (200, change)
    assert [
        (one["name"], one["change"], one["fires"]["added"]["count"], one["fires"]["removed"]["count"])
        for one in planned["schedules"]
    ] == schedules
    assert await seen(each_acme) == before


async def test_a_dry_run_of_a_new_action_leaves_nothing(each_acme: AsyncClient) -> None:
    text = PING + "schedule: every day at 09:00\n"
    answer = await each_acme.put("/v1/actions/ping", params={"dry_run": "true"}, content=text)
    assert (answer.json()["change"], answer.json()["schedules"][0]["fires"]["added"]["count"]) == (
        "created", 90,
    )  # fmt: skip
    assert await seen(each_acme) == ({"items": []}, {"items": []})
