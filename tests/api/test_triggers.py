from datetime import timedelta

import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server


async def run_each_second(server: Server, client: AsyncClient, count: int) -> list[str]:
    """The ids of manual triggers one second apart, the latest first."""
    await client.put("/v1/actions/ping", content=PING)
    ids = []
    for _ in range(count):
        ids.append((await client.post("/v1/actions/ping/run")).json()["id"])
        server.clock.advance(timedelta(seconds=1))
    return ids[::-1]


async def test_pages_give_every_row_once_the_latest_first(
    each_server: Server, each_acme: AsyncClient
) -> None:
    ids = await run_each_second(each_server, each_acme, 5)
    pages: list[list[str]] = []
    query: dict[str, str] | None = {"limit": "2"}
    while query is not None:
        page = (await each_acme.get("/v1/triggers", params=query)).json()
        pages.append([row["id"] for row in page["items"]])
        query = {"limit": "2", "cursor": page["next"]} if page["next"] else None
    assert pages == [ids[:2], ids[2:4], ids[4:]]


async def test_rows_of_one_instant_are_paged_by_id(server: Server, acme: AsyncClient) -> None:
    await acme.put("/v1/actions/ping", content=PING)
    ids = {(await acme.post("/v1/actions/ping/run")).json()["id"] for _ in range(3)}
    first = (await acme.get("/v1/triggers", params={"limit": 2})).json()
    second = (await acme.get("/v1/triggers", params={"cursor": first["next"]})).json()
    assert {row["id"] for row in first["items"] + second["items"]} == ids
    assert (len(first["items"]), len(second["items"]), second["next"]) == (2, 1, None)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"action": "ping"}, 2),
        ({"action": "pong"}, 0),
        ({"schedule": "daily"}, 1),
        ({"state": "skipped"}, 1),
        ({"state": ["skipped", "scheduled"]}, 2),
        ({"state": "failed"}, 0),
        ({"schedule": "daily", "state": "scheduled"}, 0),
        ({"reason": "paused"}, 1),
        ({"kind": "manual"}, 1),
        ({"kind": "scheduled"}, 1),
        ({"from": "2026-03-02T09:00:00Z"}, 1),
        ({"to": "2026-03-02T09:00:00Z"}, 1),
    ],
)
async def test_filters_choose_rows(
    each_server: Server, each_acme: AsyncClient, query: dict[str, str], count: int
) -> None:
    await run_each_second(each_server, each_acme, 1)
    await each_acme.put("/v1/schedules/daily", json={"action": "ping", "schedule": "every day at 09:00"})
    each_server.clock.advance(timedelta(minutes=59, seconds=57))
    await each_server.allocate("acme", "daily")
    await each_acme.post("/v1/schedules/daily/pause")
    page = (await each_acme.get("/v1/triggers", params=query)).json()
    assert len(page["items"]) == count


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "many"},
        {"limit": "9" * 5000},
        {"cursor": "rubbish"},
        {"cursor": "\0"},
        {"cursor": "MDAwMS0wMS0wMVQwMDowMDowMFogdHJnXw=="[:-3]},
        {"cursor": "MjAyNi0xMy00NVQwMDowMDowMFogdHJnXzE="},
        {"state": "sleeping"},
        {"schedule": "a\0b"},
        {"reason": "No Reason"},
        {"kind": "odd"},
        {"from": "yesterday"},
        {"to": "2026-03-02T09:00:00"},
        {"action": "../x"},
    ],
)
async def test_a_wrong_query_is_refused(acme: AsyncClient, query: dict[str, str]) -> None:
    answer = await acme.get("/v1/triggers", params=query)
    assert answer.status_code == 422
    places = [one["where"].removesuffix(".0") for one in answer.json()["problems"]]
    assert places == [f"query.{name}" for name in query]


@pytest.mark.parametrize("trigger", ["trg_0", "nope", "%00", "trg_%00", "x" * 3000, "trg_1%0A", "%F0%9F"])
async def test_an_unknown_trigger_is_not_found(each_acme: AsyncClient, trigger: str) -> None:
    assert (await each_acme.get(f"/v1/triggers/{trigger}")).status_code == 404
