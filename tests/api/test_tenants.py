import pytest
from httpx import AsyncClient

from tests.api.server import PING, Server

SLACK = {"kind": "slack", "settings": {"token": "hidden"}}
DAILY = {"action": "ping", "schedule": "every day at 09:00"}


async def test_two_tenants_do_not_see_each_other(each_server: Server, each_acme: AsyncClient) -> None:
    other = await each_server.tenant("globex")
    await each_acme.put("/v1/actions/ping", content=PING)
    await each_acme.put("/v1/schedules/daily", json=DAILY)
    await each_acme.put("/v1/connections/team", json=SLACK)
    trigger = (await each_acme.post("/v1/actions/ping/run")).json()["id"]
    objects = ["actions/ping", "schedules/daily", "connections/team", f"triggers/{trigger}"]
    assert [(await other.get(f"/v1/{path}")).status_code for path in objects] == [404] * 4
    lists = [(await other.get(f"/v1/{path.split('/')[0]}")).json()["items"] for path in objects]
    assert lists == [[], [], [], []]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "actions/ping/run"),
        ("POST", "schedules/daily/pause"),
        ("POST", "schedules/daily/resume"),
        ("POST", "schedules/daily/trigger"),
        ("GET", "schedules/daily/upcoming"),
        ("DELETE", "schedules/daily"),
        ("DELETE", "connections/team"),
    ],
)
async def test_what_is_anothers_cannot_be_changed(
    server: Server, acme: AsyncClient, method: str, path: str
) -> None:
    other = await server.tenant("globex")
    await acme.put("/v1/actions/ping", content=PING)
    await acme.put("/v1/schedules/daily", json=DAILY)
    await acme.put("/v1/connections/team", json=SLACK)
    assert (await other.request(method, f"/v1/{path}")).status_code == 404
    assert (await acme.get("/v1/schedules/daily")).json()["paused"] is False


async def test_two_tenants_may_use_one_name(each_server: Server, each_acme: AsyncClient) -> None:
    other = await each_server.tenant("globex")
    for client in (each_acme, other):
        assert (await client.put("/v1/actions/ping", content=PING)).status_code == 201
        assert (await client.put("/v1/schedules/daily", json=DAILY)).status_code == 201
        assert (await client.put("/v1/connections/team", json=SLACK)).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer cny_wrong"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
        {"X-API-Key": "cny_wrong"},
        {"X-API-Key": ""},
        {"X-API-Key": b"\xff\xfe\x80"},
        {"Authorization": "Bearer " + "x" * 20_000},
    ],
)
async def test_no_request_goes_without_a_valid_key(server: Server, headers: dict[str, str]) -> None:
    async with server.client() as client:
        answer = await client.put("/v1/actions/ping", content=PING, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["code"] == "unauthorised"


async def test_the_key_may_come_in_either_header(server: Server, acme: AsyncClient) -> None:
    key = acme.headers["Authorization"].removeprefix("Bearer ")
    async with server.client() as client:
        answer = await client.get("/v1/actions", headers={"X-API-Key": key})
    assert answer.status_code == 200


async def test_every_endpoint_but_health_needs_a_key(server: Server) -> None:
    paths = (await server.client().get("/openapi.json")).json()["paths"]
    open_ones = {path for path, item in paths.items() for one in item.values() if "security" not in one}
    secret = {"/v1/hooks/{token}", "/v1/hooks/waits/{token}", "/v1/approvals/links/{token}"}
    assert open_ones == {"/healthz", "/readyz", "/schemas/action.v1.json", *secret}
