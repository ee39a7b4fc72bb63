from datetime import timedelta

import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server

HOURLY = {"action": "ping", "schedule": {"every": "1h", "catchup": "none"}}


@pytest.fixture
async def hourly(each_server: Server, each_acme: AsyncClient) -> AsyncClient:
    """A tenant with a schedule of an hour, three of whose fires fell into an outage."""
    await each_acme.put("/v1/actions/ping", content=PING)
    await each_acme.put("/v1/schedules/hourly", json=HOURLY)
    each_server.clock.advance(timedelta(hours=3, minutes=30))
    await each_server.allocate("acme", "hourly")
    return each_acme


async def test_statistics_are_of_the_last_week(hourly: AsyncClient) -> None:
    found = (await hourly.get("/v1/schedules/hourly/stats")).json()
    assert found == {
        "schedule": "hourly",
        "from": "2026-02-23T11:30:00Z",
        "to": "2026-03-02T11:30:00Z",
        "whole": True,
        "fires": {
            **dict.fromkeys(["scheduled", "executing", "completed", "failed", "cancelled", "skipped"], 0),
            "missed": 3,
        },
        "success_rate": None,
        "lateness": None,
        "duration": None,
        "last_failure": None,
    }


async def test_a_range_is_looked_at_alone(hourly: AsyncClient) -> None:
    query = {"from": "2026-03-02T10:30:00Z", "to": "2026-03-02T12:00:00Z"}
    found = (await hourly.get("/v1/schedules/hourly/stats", params=query)).json()
    assert (found["from"], found["fires"]["missed"]) == (query["from"], 0)


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"from": "yesterday"}, "query.from"),
        ({"to": "2026-03-02"}, "query.to"),
        ({"from": "2026-03-02T12:00:00Z"}, "query.to"),
    ],
)
async def test_a_wrong_range_is_refused(hourly: AsyncClient, query: dict[str, str], where: str) -> None:
    answer = await hourly.get("/v1/schedules/hourly/stats", params=query)
    assert answer.status_code == 422
    assert [problem["where"] for problem in answer.json()["problems"]] == [where]


async def test_of_another_tenants_schedule_there_are_none(each_server: Server, hourly: AsyncClient) -> None:
    other = await each_server.tenant("globex")
    assert (await other.get("/v1/schedules/hourly/stats")).status_code == 404
