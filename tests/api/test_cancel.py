from typing import Any

import pytest
from httpx import AsyncClient

from cronny.store.claims import Claim, claim
from cronny.store.items import add_items
from tests.api.server import PING, Server

EACH = """version: 1
name: each
stages: [{id: all, uses: set, foreach: [1, 2], sensitive: SENSITIVE, with: {values: {}}}]
"""


async def started(client: AsyncClient) -> str:
    await client.put("/v1/actions/ping", content=PING)
    trigger: str = (await client.post("/v1/actions/ping/run")).json()["id"]
    return trigger


async def claimed(server: Server, client: AsyncClient) -> str:
    trigger = await started(client)
    async with server.parts.database.write() as session:
        await claim(session, [Claim(trigger, 0, "run", "")], server.clock())
    return trigger


async def events(client: AsyncClient) -> list[Any]:
    found = (await client.get("/v1/events", params={"kind": "trigger_cancelled"})).json()["items"]
    return [(event["actor"], event["note"], event["details"]) for event in found]


async def test_a_trigger_that_has_not_begun_is_cancelled(each_server: Server, each_acme: AsyncClient) -> None:
    trigger = await started(each_acme)
    response = await each_acme.post(f"/v1/triggers/{trigger}/cancel", json={"note": "not now"})
    shown = response.json()
    assert (response.status_code, shown["state"], shown["reason"]) == (200, "cancelled", "requested")
    assert await events(each_acme) == [("test", "not now", {"force": False})]


async def test_a_cancelled_trigger_is_not_cancelled_again(acme: AsyncClient) -> None:
    trigger = await started(acme)
    await acme.post(f"/v1/triggers/{trigger}/cancel")
    again = await acme.post(f"/v1/triggers/{trigger}/cancel")
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "the trigger has ended already: it is cancelled",
    )


@pytest.mark.parametrize("is_forced", [False, True])
async def test_without_temporal_nobody_is_told_that_it_ends(
    server: Server, acme: AsyncClient, is_forced: bool
) -> None:
    trigger = await claimed(server, acme)
    response = await acme.post(f"/v1/triggers/{trigger}/cancel", json={"force": is_forced})
    shown = (await acme.get(f"/v1/triggers/{trigger}")).json()
    assert (response.status_code, shown["state"]) == (503, "cancelled" if is_forced else "executing")
    assert len(await events(acme)) == is_forced


@pytest.mark.parametrize("body", [{"force": "yes"}, {"reason": "x"}, [1]])
async def test_a_wrong_body_is_refused(acme: AsyncClient, body: object) -> None:
    response = await acme.post(f"/v1/triggers/{await started(acme)}/cancel", json=body)
    assert response.status_code == 422


@pytest.mark.parametrize("trigger", ["trg_0", "x", "%00"])
async def test_an_unknown_trigger_is_not_there(acme: AsyncClient, trigger: str) -> None:
    assert (await acme.post(f"/v1/triggers/{trigger}/cancel")).status_code == 404


async def test_another_tenants_trigger_is_not_there(server: Server, acme: AsyncClient) -> None:
    trigger = await started(acme)
    async with await server.tenant("other") as other:
        assert (await other.post(f"/v1/triggers/{trigger}/cancel")).status_code == 404
        assert (await other.get(f"/v1/triggers/{trigger}/stages/pong/items")).status_code == 404


async def with_items(server: Server, client: AsyncClient, sensitive: str = "false") -> str:
    await client.put("/v1/actions/each", content=EACH.replace("SENSITIVE", sensitive))
    trigger: str = (await client.post("/v1/actions/each/run")).json()["id"]
    async with server.parts.database.write() as session:
        await add_items(session, trigger, "all", [1, {"a": 2}], 0)
    return trigger


async def test_items_are_paged(each_server: Server, each_acme: AsyncClient) -> None:
    place = f"/v1/triggers/{await with_items(each_server, each_acme)}/stages/all/items"
    first = (await each_acme.get(place, params={"limit": 1})).json()
    second = (await each_acme.get(place, params={"limit": 1, "cursor": first["next"]})).json()
    assert [item["value"] for item in first["items"] + second["items"]] == [1, {"a": 2}]
    assert ((first["next"], second["next"]), second["items"][0]["state"]) == (("0", None), "waiting")


async def test_items_of_a_sensitive_stage_are_not_shown(server: Server, acme: AsyncClient) -> None:
    place = f"/v1/triggers/{await with_items(server, acme, 'true')}/stages/all/items"
    assert [item["value"] for item in (await acme.get(place)).json()["items"]] == ["(sensitive)"] * 2


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("all/items?state=waiting", 200),
        ("all/items?state=failed", 200),
        ("all/items?state=odd", 422),
        ("all/items?cursor=x", 422),
        ("all/items?cursor=-1", 422),
        ("all/items?cursor=99999999999999999999", 422),
        ("none/items", 404),
        ("%00/items", 404),
    ],
)
async def test_what_is_no_list_of_items_is_refused(
    server: Server, acme: AsyncClient, place: str, status: int
) -> None:
    trigger = await with_items(server, acme)
    assert (await acme.get(f"/v1/triggers/{trigger}/stages/{place}")).status_code == status
