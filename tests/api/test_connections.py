import asyncio
from dataclasses import replace

import pytest
from httpx import AsyncClient
from sqlmodel import SQLModel

from activities.stages.catalogue import KINDS
from tests.api.server import PING, Server

CANARY = "canary-5f2c9e"
DATABASE = {
    "kind": "postgres",
    "settings": {"host": "db.example.com", "database": "orders", "user": "app", "password": CANARY},
}
USING = PING + "  - {id: tell, uses: slack, connection: team, with: {text: hello}}\n"
SLACK = {"kind": "slack", "settings": {"token": CANARY}}


async def test_a_connection_is_shown_without_its_secrets(each_acme: AsyncClient) -> None:
    answer = await each_acme.put("/v1/connections/orders", json=DATABASE)
    shown = (await each_acme.get("/v1/connections/orders")).json()
    assert (answer.status_code, answer.json()) == (201, shown)
    assert (shown["kind"], shown["settings"], shown["secrets"], shown["readable"]) == (
        "postgres",
        {"host": "db.example.com", "database": "orders", "user": "app"},
        ["password"],
        True,
    )
    assert (await each_acme.get("/v1/connections")).json()["items"] == [shown]


async def test_a_put_replaces_the_whole_connection(acme: AsyncClient) -> None:
    await acme.put("/v1/connections/team", json=SLACK)
    answer = await acme.put(
        "/v1/connections/team", json={"kind": "slack", "settings": {"webhook_url": "https://example.com/x"}}
    )
    shown = answer.json()
    assert (answer.status_code, shown["secrets"], shown["revision"]) == (200, ["webhook_url"], 2)


async def test_a_secret_that_was_not_given_is_not_called_set(acme: AsyncClient) -> None:
    settings = "{host: db.example.com, database: orders, user: app}"
    answer = await acme.put("/v1/connections/orders", content=f"kind: postgres\nsettings: {settings}")
    assert answer.json()["secrets"] == []


@pytest.mark.parametrize("path", ["orders", "broken", "other"])
async def test_a_secret_is_in_no_answer_and_no_log(
    acme: AsyncClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    bodies = {
        "orders": DATABASE,
        "broken": {"kind": "slack", "settings": {"token": CANARY, "webhook_url": [CANARY], "x": CANARY}},
        "other": {"kind": "postgres", "settings": {"password": {"nested": CANARY}, "port": "none"}},
    }
    answers = [
        await acme.put(f"/v1/connections/{path}", json=bodies[path]),
        await acme.get(f"/v1/connections/{path}"),
        await acme.get("/v1/connections"),
    ]
    assert [answer.text for answer in answers if CANARY in answer.text] == []
    assert CANARY not in caplog.text


async def test_a_secret_is_in_no_table_in_clear_text(each_server: Server, each_acme: AsyncClient) -> None:
    await each_acme.put("/v1/connections/orders", json=DATABASE)
    await each_acme.put("/v1/connections/team", json=SLACK)
    await each_acme.put("/v1/actions/ping", content=USING)
    await each_acme.post("/v1/actions/ping/run")
    async with each_server.parts.database.engine.connect() as connection:
        tables = SQLModel.metadata.sorted_tables
        rows = [row for table in tables for row in await connection.execute(table.select())]
    assert {"orders", "team", "ping"} <= {value for row in rows for value in row if isinstance(value, str)}
    assert [row for row in rows if CANARY in str(row)] == []


async def test_a_connection_in_use_stays(each_acme: AsyncClient) -> None:
    await each_acme.put("/v1/connections/team", json=SLACK)
    await each_acme.put("/v1/actions/ping", content=USING)
    deleted = await each_acme.delete("/v1/connections/team")
    changed = await each_acme.put("/v1/connections/team", json=DATABASE)
    assert [(answer.status_code, answer.json()["detail"]) for answer in (deleted, changed)] == [
        (409, "the connection 'team' cannot be deleted: it is used by 'ping' (stage tell)"),
        (409, "the connection 'team' cannot be of kind postgres: it is used by 'ping' (stage tell)"),
    ]


async def test_a_connection_that_only_an_old_version_uses_may_go(each_acme: AsyncClient) -> None:
    await each_acme.put("/v1/connections/team", json=SLACK)
    await each_acme.put("/v1/actions/ping", content=USING)
    await each_acme.put("/v1/actions/ping", content=PING)
    assert (await each_acme.delete("/v1/connections/team")).status_code == 204
    assert (await each_acme.get("/v1/connections/team")).status_code == 404


async def test_an_action_and_the_end_of_its_connection_do_not_both_succeed(each_acme: AsyncClient) -> None:
    for number in range(5):
        await each_acme.put("/v1/connections/team", json=SLACK)
        source = f"{USING}description: try {number}\n"
        upload, end = await asyncio.gather(
            each_acme.put("/v1/actions/ping", content=source), each_acme.delete("/v1/connections/team")
        )
        assert {upload.status_code < 300, end.status_code < 300} == {True, False}
        await each_acme.put("/v1/actions/ping", content=PING)


async def test_writes_of_one_new_connection_at_once_give_no_500(each_acme: AsyncClient) -> None:
    answers = await asyncio.gather(*[each_acme.put("/v1/connections/team", json=SLACK) for _ in range(6)])
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert 201 in {answer.status_code for answer in answers}


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ("kind: slakc\nsettings: {}", [("kind", 1, 7)]),
        ("kind: set\nsettings: {}", [("kind", 1, 7)]),
        ("kind: slack\nsettings:\n  toke: x", [("settings.toke", 3, 3)]),
        ("kind: slack\nsettings: {}", [("settings", 2, 11)]),
        (
            "kind: postgres\nsettings:\n  port: 99999\n  host: [a]",
            [("settings", 3, 3), ("settings.port", 3, 9), ("settings.host", 4, 9)],
        ),
        ("kind: slack", [("document", 1, 1)]),
        ("kind: slack\nsettings: {token: x}\nname: y", [("name", 3, 1)]),
    ],
)
async def test_a_wrong_connection_is_refused_at_its_place(
    acme: AsyncClient, body: str, places: list[tuple[str, int, int]]
) -> None:
    answer = await acme.put("/v1/connections/team", content=body)
    assert answer.status_code == 422
    found = {(one["where"], one["line"], one["column"]) for one in answer.json()["problems"]}
    assert found == set(places)
    assert (await acme.get("/v1/connections")).json() == {"items": []}


async def test_who_uses_a_connection_is_told(each_acme: AsyncClient) -> None:
    await each_acme.put("/v1/connections/team", json=SLACK)
    await each_acme.put("/v1/actions/ping", content=USING)
    shown = (await each_acme.get("/v1/connections/team")).json()
    assert (shown["used_by"], shown["last_used"], shown["last_test"]) == (
        [{"action": "ping", "stages": ["tell"]}],
        None,
        None,
    )


async def test_a_connection_in_use_may_be_forced_to_go(each_acme: AsyncClient) -> None:
    await each_acme.put("/v1/connections/team", json=SLACK)
    await each_acme.put("/v1/actions/ping", content=USING)
    assert (await each_acme.delete("/v1/connections/team?force=true")).status_code == 204
    events = (await each_acme.get("/v1/events?kind=connection_deleted")).json()["items"]
    assert [one["details"] for one in events] == [{"connection": "team", "forced": True, "used_by": ["ping"]}]


async def test_a_test_without_temporal_says_so(acme: AsyncClient) -> None:
    await acme.put("/v1/connections/team", json=SLACK)
    answers = [await acme.post(f"/v1/connections/{name}/test") for name in ("team", "nope")]
    assert [answer.status_code for answer in answers] == [503, 404]


async def test_a_kind_without_a_test_says_so(server: Server, acme: AsyncClient) -> None:
    await acme.put("/v1/connections/team", json=SLACK)
    kinds = {**KINDS, "slack": replace(KINDS["slack"], check_connection=None)}
    server.app.state.parts = replace(server.parts, kinds=kinds)
    answer = await acme.post("/v1/connections/team/test")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "connections of kind slack cannot be tested; a stage that uses it will tell",
    )
