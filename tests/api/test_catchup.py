"""Catch-up as a plan that is shown, approved or declined."""

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server

ASKING = {"action": "ping", "schedule": {"every": "10 minutes", "catchup": "ask"}}
CATCHUP = "/v1/schedules/asking/catchup"


@pytest.fixture
async def asking(each_server: Server, each_acme: AsyncClient) -> AsyncClient:
    """A tenant whose schedule has missed six fires in an outage, at 08:10 and every ten minutes after it."""
    await each_acme.put("/v1/actions/ping", content=PING)
    await each_acme.put("/v1/schedules/asking", json=ASKING)
    each_server.clock.advance(timedelta(minutes=65))
    await each_server.allocate("acme", "asking")
    return each_acme


async def states(client: AsyncClient) -> list[tuple[str, str, str, int]]:
    rows = (await client.get("/v1/triggers")).json()["items"]
    return [(row["due"][11:16], row["state"], row["reason"], row["count"]) for row in rows]


async def test_what_was_missed_is_shown(asking: AsyncClient) -> None:
    assert (await asking.get(CATCHUP)).json() == {
        "schedule": "asking",
        "total": 6,
        "ranges": [{"first": "2026-03-02T08:10:00Z", "last": "2026-03-02T09:00:00Z", "count": 6}],
    }


@pytest.mark.parametrize(("body", "approved"), [({}, 6), ({"last_only": True}, 1)])
async def test_an_approval_makes_triggers(asking: AsyncClient, body: dict[str, Any], approved: int) -> None:
    done = (await asking.post(f"{CATCHUP}/approve", json=body)).json()
    assert (done["approved"], done["declined"], len(done["triggers"])) == (approved, 6 - approved, approved)
    assert (await states(asking))[0] == ("09:00", "scheduled", "approved", 1)
    assert (await asking.get(CATCHUP)).json()["total"] == 0


async def test_a_refusal_leaves_them_missed(asking: AsyncClient) -> None:
    done = (await asking.post(f"{CATCHUP}/decline", json={"note": "too late"})).json()
    assert (done["declined"], await states(asking)) == (6, [("08:10", "missed", "catchup", 6)])
    event = (await asking.get("/v1/events")).json()["items"][0]
    assert (event["kind"], event["actor"], event["note"], event["details"]) == (
        "catchup_declined", "test", "too late", {"declined": 6},
    )  # fmt: skip


@pytest.mark.parametrize("what", ["approve", "decline"])
async def test_there_must_be_something_to_decide(asking: AsyncClient, what: str) -> None:
    await asking.post(f"{CATCHUP}/decline")
    answer = await asking.post(f"{CATCHUP}/{what}")
    assert (answer.status_code, answer.json()["detail"]) == (409, "no fire waits for an approval")
