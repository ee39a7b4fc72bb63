"""Backfills: count, start, follow, cancel."""

from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.server import PING

DAILY = {"action": "ping", "schedule": "every day at 09:00", "inputs": {"region": "us"}}
BACKFILLS = "/v1/schedules/daily/backfills"
FEBRUARY = {"from": "2026-02-01T00:00:00Z", "to": "2026-02-28T09:00:00Z"}


@pytest.fixture
async def daily(each_acme: AsyncClient) -> AsyncClient:
    await each_acme.put("/v1/actions/ping", content=PING)
    await each_acme.put("/v1/schedules/daily", json=DAILY)
    return each_acme


async def test_a_dry_run_counts(daily: AsyncClient) -> None:
    answer = await daily.post(BACKFILLS, json={**FEBRUARY, "dry_run": True, "rate": 14})
    assert (answer.status_code, answer.json()) == (
        200,
        {"total": 28, "first": "2026-02-01T09:00:00Z", "last": "2026-02-28T09:00:00Z", "minutes": 2.0},
    )
    assert (await daily.get(BACKFILLS)).json()["items"] == []


async def test_a_backfill_is_started_listed_and_told_in_an_event(daily: AsyncClient) -> None:
    answer = await daily.post(BACKFILLS, json={**FEBRUARY, "note": "lost data"})
    started = answer.json()
    assert (answer.status_code, started["state"], started["total"], started["done"], started["inputs"]) == (
        201, "running", 28, 0, {"region": "us"},
    )  # fmt: skip
    assert (await daily.get(BACKFILLS)).json()["items"] == [started]
    assert (await daily.get(f"{BACKFILLS}/{started['id']}")).json() == started
    events = (await daily.get("/v1/events", params={"kind": "backfill_started"})).json()["items"]
    assert [(one["actor"], one["note"], one["details"]["total"]) for one in events] == [
        ("test", "lost data", 28)
    ]


async def test_its_triggers_are_in_the_ledger(daily: AsyncClient) -> None:
    started = (await daily.post(BACKFILLS, json={**FEBRUARY, "inputs": {"region": "eu"}})).json()
    row = (await daily.get("/v1/triggers")).json()["items"][0]
    assert (row["due"], row["reason"], row["backfill"], row["number"]) == (
        "2026-02-28T09:00:00Z", "backfill", started["id"], 0,
    )  # fmt: skip
    assert (await daily.get(f"/v1/triggers/{row['id']}")).json()["inputs"] == {"region": "eu"}


async def test_a_cancelled_backfill_leaves_out_the_rest(daily: AsyncClient) -> None:
    started = (await daily.post(BACKFILLS, json=FEBRUARY)).json()
    cancelled = (await daily.post(f"{BACKFILLS}/{started['id']}/cancel")).json()
    assert (cancelled["state"], cancelled["done"]) == ("cancelled", 28)
    again = await daily.post(f"{BACKFILLS}/{started['id']}/cancel")
    assert (again.status_code, (await daily.get("/v1/triggers")).json()["items"][0]["reason"]) == (
        409, "backfill_cancelled",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"to": "2026-03-20T00:00:00Z"}, "to"),
        ({"to": "2026-01-01T00:00:00Z"}, "to"),
        ({"from": "1990-01-01T00:00:00Z"}, "to"),
        ({"from": "2026-02-28T10:00:00Z", "to": "2026-02-28T11:00:00Z"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"rate": 0}, "rate"),
        ({"overlap": "maybe"}, "overlap"),
        ({"inputs": {"region": "mars"}}, "inputs.region"),
        ({"since": "2026-02-01T00:00:00Z"}, "since"),
    ],
)
async def test_a_wrong_range_is_refused(daily: AsyncClient, change: dict[str, Any], where: str) -> None:
    answer = await daily.post(BACKFILLS, json={**FEBRUARY, **change})
    assert (answer.status_code, [one["where"] for one in answer.json()["problems"]]) == (422, [where])


async def test_an_unknown_backfill_is_not_found(daily: AsyncClient) -> None:
    assert (await daily.get(f"{BACKFILLS}/bkf_0")).status_code == 404
