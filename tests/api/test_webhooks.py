"""Webhooks as their owner writes them."""

from typing import Any

import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server


@pytest.fixture
async def acme(acme: AsyncClient) -> AsyncClient:
    """A tenant with an action."""
    await acme.put("/v1/actions/ping", content=PING)
    return acme


async def put(acme: AsyncClient, **fields: Any) -> Any:
    return (await acme.put("/v1/webhooks/hook", json={"action": "ping", **fields})).json()


async def test_its_url_is_shown_once(acme: AsyncClient) -> None:
    created = await put(acme)
    again = await put(acme, rate=5)
    shown = (await acme.get("/v1/webhooks/hook")).json()
    assert created["url"].startswith("http://127.0.0.1:8080/v1/hooks/hook_")
    assert (again["url"], again["rate"], shown["rate"], "url" in shown) == (None, 5, 5, False)


async def test_a_secret_is_made_shown_once_and_kept(acme: AsyncClient) -> None:
    made = await put(acme, signature={"scheme": "github"})
    kept = await put(acme, signature={"scheme": "slack", "tolerance": "1m"})
    given = await put(acme, signature={"scheme": "slack", "secret": "sixteen characters"})
    assert (len(made["secret"]) > 40, kept["secret"], given["secret"]) == (True, None, None)
    assert kept["signature"] == {"scheme": "slack", "tolerance": "1m"}


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"action": "pong"}, "action"),
        ({"inputs": {"regoin": "eu"}}, "inputs.regoin"),
        ({"inputs": {"region": "mars"}}, "inputs.region"),
        ({"payload": "body"}, "payload"),
        ({"rate": 0}, "rate"),
        ({"signature": {"scheme": "githup"}}, "signature.scheme"),
        ({"signature": {"scheme": "github", "secret": "short"}}, "signature.secret"),
        ({"signature": {"scheme": "slack", "tolerance": "2h"}}, "signature.tolerance"),
        ({"singature": {}}, "singature"),
    ],
)
async def test_what_is_wrong_is_said_at_its_place(acme: AsyncClient, fields: Any, where: str) -> None:
    answer = await put(acme, **fields)
    assert [one["where"] for one in answer["problems"]] == [where]
    assert (await acme.get("/v1/webhooks/hook")).status_code == 404


async def test_everything_done_to_it_is_an_event(acme: AsyncClient) -> None:
    await put(acme)
    await acme.post("/v1/webhooks/hook/rotate")
    await acme.delete("/v1/webhooks/hook")
    events = (await acme.get("/v1/events")).json()["items"]
    own = [one for one in events if one["details"] == {"webhook": "hook"}]
    assert sorted((one["kind"], one["actor"], one["action"]) for one in own) == [
        (f"webhook_{done}", "test", "ping") for done in ("deleted", "rotated", "saved")
    ]


async def test_another_tenants_webhook_does_not_exist(acme: AsyncClient, server: Server) -> None:
    await put(acme)
    async with await server.tenant("rival") as rival:
        answers = [
            await rival.get("/v1/webhooks/hook"),
            await rival.post("/v1/webhooks/hook/rotate"),
            await rival.delete("/v1/webhooks/hook"),
        ]
        listed = (await rival.get("/v1/webhooks")).json()["items"]
    assert ([one.status_code for one in answers], listed) == ([404] * 3, [])
