"""Single fires: leave out, move, give other inputs, undo."""

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server

DAILY = {"action": "ping", "schedule": "every day at 09:00"}
FIRES = "/v1/schedules/daily/fires"
FIRST, SECOND = "2026-03-02T09:00:00Z", "2026-03-03T09:00:00Z"


@pytest.fixture
async def daily(each_acme: AsyncClient) -> AsyncClient:
    await each_acme.put("/v1/actions/ping", content=PING)
    await each_acme.put("/v1/schedules/daily", json=DAILY)
    return each_acme


async def upcoming(client: AsyncClient, *fields: str) -> list[Any]:
    fires = (await client.get("/v1/schedules/daily/upcoming", params={"count": 2})).json()["fires"]
    return [tuple(fire[name] for name in fields) for fire in fires]


async def events(client: AsyncClient) -> list[Any]:
    """Kind, actor, note and details of what was done to single fires, by kind."""
    items = (await client.get("/v1/events")).json()["items"]
    told = [(one["kind"], one["actor"], one["note"], one["details"]) for one in items]
    return sorted(one for one in told if one[0].startswith("fire_"))


async def test_a_fire_is_left_out_and_that_is_undone(daily: AsyncClient) -> None:
    answer = await daily.post(f"{FIRES}/{FIRST}/skip", json={"note": "a holiday"})
    assert (answer.status_code, answer.json()["kind"], answer.json()["actor"]) == (200, "skip", "test")
    assert await upcoming(daily, "due", "skipped", "note") == [
        (FIRST, True, "a holiday"), (SECOND, False, ""),
    ]  # fmt: skip
    assert (await daily.delete(f"{FIRES}/{FIRST}")).status_code == 204
    assert await upcoming(daily, "due", "skipped") == [(FIRST, False), (SECOND, False)]
    assert await events(daily) == [
        ("fire_restored", "test", "", {"due": FIRST}),
        ("fire_skipped", "test", "a holiday", {"due": FIRST}),
    ]


async def test_a_skip_is_in_the_ledger_once_the_fire_is_near(each_server: Server, daily: AsyncClient) -> None:
    await daily.post(f"{FIRES}/{FIRST}/skip")
    await daily.put("/v1/schedules/daily", json={**DAILY, "inputs": {"region": "us"}})
    each_server.clock.advance(timedelta(minutes=59, seconds=58))
    await each_server.allocate("acme", "daily")
    (row,) = (await daily.get("/v1/triggers")).json()["items"]
    assert (row["due"], row["state"], row["reason"]) == (FIRST, "skipped", "operator")


@pytest.mark.parametrize("to", ["2026-03-02T08:30:00Z", "2026-03-02T20:00:00+02:00"])
async def test_a_fire_is_moved(daily: AsyncClient, to: str) -> None:
    moved = (await daily.post(f"{FIRES}/{FIRST}/move", json={"to": to})).json()
    planned = "2026-03-02T18:00:00Z" if "+" in to else to
    assert (moved["moved_to"], moved["void"]) == (planned, False)
    assert (await upcoming(daily, "due", "planned", "moved"))[0] == (FIRST, planned, True)


async def test_a_fire_that_was_put_off_is_upcoming_until_it_happens(
    each_server: Server, daily: AsyncClient
) -> None:
    await daily.post(f"{FIRES}/{FIRST}/move", json={"to": "2026-03-02T12:00:00Z"})
    each_server.clock.advance(timedelta(hours=2))
    assert [due for (due,) in await upcoming(daily, "due")] == [FIRST, SECOND]
    each_server.clock.advance(timedelta(hours=2))
    assert [due for (due,) in await upcoming(daily, "due")] == [SECOND, "2026-03-04T09:00:00Z"]


async def test_a_fire_is_given_inputs_above_those_of_its_schedule(
    each_server: Server, daily: AsyncClient
) -> None:
    answer = await daily.post(f"{FIRES}/{FIRST}/inputs", json={"inputs": {"region": "us"}})
    assert answer.json()["inputs"] == {"region": "us"}
    each_server.clock.advance(timedelta(minutes=59, seconds=58))
    await each_server.allocate("acme", "daily")
    (row,) = (await daily.get("/v1/triggers")).json()["items"]
    assert (await daily.get(f"/v1/triggers/{row['id']}")).json()["inputs"] == {"region": "us"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        (
            "POST", "2026-03-02T09:30:00Z/skip", {}, 422,
            "there is no fire at 2026-03-02T09:30:00Z",
        ),
        ("POST", f"{FIRST}/move", {"to": "2026-03-02T07:00:00Z"}, 422, "to: lies in the past"),
        ("POST", f"{FIRST}/move", {"to": "noon"}, 422, "to"),
        ("POST", f"{FIRST}/inputs", {"inputs": {"region": "mars"}}, 422, "inputs.region"),
        ("POST", "2026-03-01T09:00:00Z/skip", {}, 409, "2026-03-01T09:00:00Z is over"),
        ("POST", "monday/skip", {}, 422, "path.due"),
        ("DELETE", FIRST, None, 404, "was not changed"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused(
    daily: AsyncClient, method: str, path: str, body: Any, status: int, said: str
) -> None:
    answer = await daily.request(method, f"{FIRES}/{path}", json=body)
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert (await daily.get(FIRES)).json()["items"] == []


async def test_who_misses_the_due_is_told_the_nearest_fires(daily: AsyncClient) -> None:
    (problem,) = (await daily.post(f"{FIRES}/2026-03-02T10:00:00Z/skip")).json()["problems"]
    assert problem["hint"] == f"the nearest fires are {FIRST} and {SECOND}"


async def test_an_edit_keeps_what_fits_and_tells_the_rest(daily: AsyncClient) -> None:
    weekend = "2026-03-07T09:00:00Z"
    for due in (FIRST, weekend):
        await daily.post(f"{FIRES}/{due}/skip")
    saved = await daily.put("/v1/schedules/daily", json={**DAILY, "schedule": "every weekday at 09:00"})
    assert saved.json()["void_changes"] == [weekend]
    kept = (await daily.get(FIRES)).json()["items"]
    assert [(one["due"], one["void"]) for one in kept] == [(FIRST, False), (weekend, True)]


async def test_an_upload_keeps_what_fits_and_tells_the_rest(each_acme: AsyncClient) -> None:
    daily, weekly = (PING + f"schedule: every {day} at 09:00\n" for day in ("day", "friday"))
    await each_acme.put("/v1/actions/ping", content=daily)
    await each_acme.post(f"/v1/schedules/ping/fires/{FIRST}/skip")
    (changed,) = (await each_acme.put("/v1/actions/ping", content=weekly)).json()["schedules"]
    assert changed["void_changes"] == [FIRST]
