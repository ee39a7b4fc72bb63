"""API keys: what each role may, and who may make them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from api.permissions import NEEDED, ROLES, SCOPES
from tests.api.server import PING, Server

SLACK = {"kind": "slack", "settings": {"token": "hidden"}}


async def make(client: AsyncClient, name: str, role: str, **more: Any) -> str:
    answer = await client.post("/v1/keys", json={"name": name, "role": role, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])


@pytest.fixture
async def ping(acme: AsyncClient) -> AsyncClient:
    """A tenant with an action and a schedule."""
    await acme.put("/v1/actions/ping", content=PING)
    await acme.put("/v1/schedules/daily", json={"action": "ping", "schedule": "every day at 09:00"})
    return acme


def test_every_endpoint_has_a_scope(server: Server) -> None:
    described = server.app.openapi()["paths"]
    endpoints = {
        (method.upper(), path)
        for path, item in described.items()
        for method, operation in item.items()
        if "security" in operation
    }
    assert endpoints == NEEDED.keys()


def test_every_scope_is_needed_somewhere() -> None:
    assert set(NEEDED.values()) == SCOPES


def test_each_role_may_more_than_the_one_before() -> None:
    viewer, operator, editor, admin = ROLES.values()
    assert viewer < operator < editor < admin == SCOPES
    assert editor.isdisjoint({"keys:read", "keys:write"})


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        ("viewer", [200, 200, 403, 403, 403, 403, 403]),
        ("operator", [200, 200, 202, 200, 403, 403, 403]),
        ("editor", [200, 200, 202, 200, 200, 201, 403]),
        ("admin", [200, 200, 202, 200, 200, 201, 200]),
    ],
)
async def test_a_role_may_what_it_is_for(
    server: Server, ping: AsyncClient, role: str, statuses: list[int]
) -> None:
    async with server.client(await make(ping, "other", role)) as client:
        answers = [
            await client.get("/v1/actions"),
            await client.get("/v1/secrets"),
            await client.post("/v1/actions/ping/run"),
            await client.post("/v1/schedules/daily/pause"),
            await client.put("/v1/actions/ping", content=PING),
            await client.put("/v1/secrets/KEY", json={"value": "long enough"}),
            await client.get("/v1/keys"),
        ]
    assert [answer.status_code for answer in answers] == statuses


async def test_a_refusal_says_what_is_lacking(server: Server, ping: AsyncClient) -> None:
    async with server.client(await make(ping, "other", "viewer")) as client:
        answer = await client.put("/v1/connections/team", json=SLACK)
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (
        403,
        "forbidden",
        "this API key lacks the scope connections:write; a key of role editor or admin has it",
    )


async def test_a_key_may_have_some_scopes_of_its_role_only(server: Server, ping: AsyncClient) -> None:
    key = await make(ping, "ci", "editor", scopes=["actions:write", "actions:read"])
    async with server.client(key) as client:
        answers = [
            await client.put("/v1/actions/ping", content=PING),
            await client.get("/v1/schedules"),
            await client.post("/v1/actions/ping/run"),
        ]
    assert [answer.status_code for answer in answers] == [200, 403, 403]


async def test_a_key_acts_under_its_name(server: Server, ping: AsyncClient) -> None:
    async with server.client(await make(ping, "night-shift", "operator")) as client:
        await client.post("/v1/schedules/daily/pause", json={"note": "too loud"})
    events = (await ping.get("/v1/events?kind=schedule_paused")).json()["items"]
    assert [(one["actor"], one["note"]) for one in events] == [("night-shift", "too loud")]


async def test_keys_are_listed_without_themselves(each_acme: AsyncClient) -> None:
    key = await make(each_acme, "ci", "viewer")
    listed = await each_acme.get("/v1/keys")
    assert [(one["name"], one["role"]) for one in listed.json()["items"]] == [
        ("ci", "viewer"),
        ("test", "admin"),
    ]
    assert key not in listed.text


async def test_a_revoked_key_is_worth_nothing(each_server: Server, each_acme: AsyncClient) -> None:
    key = await make(each_acme, "ci", "viewer")
    assert (await each_acme.delete("/v1/keys/ci")).status_code == 204
    async with each_server.client(key) as client:
        assert (await client.get("/v1/actions")).status_code == 401
    kinds = [one["kind"] for one in (await each_acme.get("/v1/events")).json()["items"]]
    assert sorted(kinds) == ["key_created", "key_revoked"]
    assert (await each_acme.delete("/v1/keys/ci")).status_code == 404


async def test_a_key_expires(server: Server, acme: AsyncClient) -> None:
    key = await make(acme, "ci", "viewer", expires="2026-03-02T09:00:00Z")
    async with server.client(key) as client:
        before = await client.get("/v1/actions")
        server.clock.advance(timedelta(hours=1))
        after = await client.get("/v1/actions")
    assert (before.status_code, after.status_code) == (200, 401)
    assert after.json()["detail"] == "this API key has expired"


async def test_the_last_key_that_makes_keys_stays(each_acme: AsyncClient) -> None:
    await make(each_acme, "ci", "editor")
    await make(each_acme, "guest", "admin", expires="2027-01-01T00:00:00Z")
    refused = await each_acme.delete("/v1/keys/test")
    assert refused.status_code == 409
    await make(each_acme, "second", "admin")
    assert (await each_acme.delete("/v1/keys/test")).status_code == 204


async def test_of_two_last_keys_revoked_at_once_one_stays(
    each_server: Server, each_acme: AsyncClient
) -> None:
    async with each_server.client(await make(each_acme, "second", "admin")) as second:
        answers = await asyncio.gather(second.delete("/v1/keys/test"), each_acme.delete("/v1/keys/second"))
    assert sorted(answer.status_code for answer in answers) in ([204, 401], [204, 409])


async def test_nobody_gives_what_they_lack(server: Server, acme: AsyncClient) -> None:
    key = await make(acme, "clerk", "admin", scopes=["keys:write", "actions:read"])
    async with server.client(key) as client:
        more = await client.post("/v1/keys", json={"name": "more", "role": "viewer"})
        less = await client.post(
            "/v1/keys", json={"name": "less", "role": "viewer", "scopes": ["actions:read"]}
        )
    assert (more.status_code, less.status_code) == (403, 201)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": "ci", "role": "root"}, "role"),
        ({"name": "C I", "role": "viewer"}, "name"),
        ({"name": "ci", "role": "viewer", "scopes": ["actions:write"]}, "scopes"),
        ({"name": "ci", "role": "viewer", "scopes": []}, "scopes"),
        ({"name": "ci", "role": "viewer", "expires": "2020-01-01T00:00:00Z"}, "expires"),
        ({"name": "ci", "role": "viewer", "expires": "tomorrow"}, "expires"),
    ],
)
async def test_a_wrong_key_is_refused(acme: AsyncClient, body: dict[str, object], where: str) -> None:
    answer = await acme.post("/v1/keys", json=body)
    assert (answer.status_code, [one["where"] for one in answer.json()["problems"]]) == (422, [where])


async def test_two_keys_of_one_name_are_refused(each_acme: AsyncClient) -> None:
    body = {"name": "ci", "role": "viewer"}
    answers = await asyncio.gather(*[each_acme.post("/v1/keys", json=body) for _ in range(3)])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_anothers_keys_are_not_there(server: Server, acme: AsyncClient) -> None:
    await make(acme, "ci", "viewer")
    other = await server.tenant("globex")
    listed = (await other.get("/v1/keys")).json()["items"]
    assert [one["name"] for one in listed] == ["test"]
    assert (await other.delete("/v1/keys/ci")).status_code == 404
