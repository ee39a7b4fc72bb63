"""Variables and secrets through the API."""

import asyncio

import pytest
from httpx import AsyncClient
from sqlmodel import SQLModel

from tests.api.server import Server

CANARY = "canary-81d0c4"
USING = """\
version: 1
name: ping
stages:
  - {id: tell, uses: set, with: {values: {a: "${{ vars.HOST }}", b: "${{ secrets.KEY }}"}}}
  - {id: rest, uses: set, when: vars.HOST != 'none', with: {values: {}}}
outputs: {host: "${{ vars.HOST }}"}
"""
PLAIN = "version: 1\nname: ping\nstages: [{id: tell, uses: set, with: {values: {}}}]\n"


async def put_both(client: AsyncClient) -> list[int]:
    answers = [
        await client.put("/v1/vars/HOST", json={"value": "example.com"}),
        await client.put("/v1/secrets/KEY", json={"value": CANARY}),
    ]
    return [answer.status_code for answer in answers]


async def test_a_variable_is_written_shown_and_forgotten(each_acme: AsyncClient) -> None:
    made = await each_acme.put("/v1/vars/LIMITS", content="value: {most: 3, names: [a, b]}")
    again = await each_acme.put("/v1/vars/LIMITS", json={"value": {"most": 3, "names": ["a", "b"]}})
    shown = (await each_acme.get("/v1/vars/LIMITS")).json()
    assert (made.status_code, again.json(), shown) == (201, made.json(), {**made.json(), "used_by": []})
    assert (await each_acme.get("/v1/vars")).json()["items"] == [made.json()]
    gone = await each_acme.delete("/v1/vars/LIMITS")
    assert (gone.status_code, (await each_acme.get("/v1/vars/LIMITS")).status_code) == (204, 404)


async def test_another_value_is_another_revision(each_acme: AsyncClient) -> None:
    answers = [await each_acme.put("/v1/vars/N", json={"value": value}) for value in (1, 1.5, True, True)]
    assert [answer.json()["revision"] for answer in answers] == [1, 2, 3, 3]


async def test_a_secret_is_shown_without_its_value(each_server: Server, each_acme: AsyncClient) -> None:
    made = await each_acme.put("/v1/secrets/KEY", json={"value": CANARY})
    shown = (await each_acme.get("/v1/secrets/KEY")).json()
    assert made.status_code == 201
    assert shown == {
        "name": "KEY",
        "sealed_under": each_server.parts.keyring.newest,
        "readable": True,
        "revision": 1,
        "created": "2026-03-02T08:00:00Z",
        "updated": "2026-03-02T08:00:00Z",
        "last_used": None,
        "used_by": [],
    }


async def test_a_secret_is_in_no_answer_no_log_and_no_table(
    each_server: Server, each_acme: AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await put_both(each_acme)
    bad = await each_acme.put("/v1/secrets/KEY", json={"value": [CANARY], "more": CANARY})
    paths = ("secrets", "secrets/KEY", "events")
    answers = [bad, *[await each_acme.get(f"/v1/{path}") for path in paths]]
    async with each_server.parts.database.engine.connect() as connection:
        tables = SQLModel.metadata.sorted_tables
        rows = [str(row) for table in tables for row in await connection.execute(table.select())]
    seen = [answer.text for answer in answers] + rows + [caplog.text]
    assert bad.status_code == 422
    assert [text for text in seen if CANARY in text] == []


async def test_an_action_may_name_only_what_there_is(each_acme: AsyncClient) -> None:
    refused = await each_acme.put("/v1/actions/ping", content=USING)
    problems = [(one["what"], one["hint"], one["code"]) for one in refused.json()["problems"]]
    assert problems[0] == (
        "there is no variable 'HOST'",
        "set it with `cronny vars set HOST`",
        "unknown_variable",
    )
    assert [code for _, _, code in problems] == ["unknown_variable", "unknown_secret"] + [
        "unknown_variable"
    ] * 2
    assert await put_both(each_acme) == [201, 201]
    assert (await each_acme.put("/v1/actions/ping", content=USING)).status_code == 201


async def test_validating_knows_the_variables_too(acme: AsyncClient) -> None:
    assert (await acme.post("/v1/validate", content=USING)).json()["valid"] is False
    await put_both(acme)
    assert (await acme.post("/v1/validate", content=USING)).json()["valid"] is True


async def test_who_uses_it_is_told_and_keeps_it(each_acme: AsyncClient) -> None:
    await put_both(each_acme)
    await each_acme.put("/v1/actions/ping", content=USING)
    users = [(await each_acme.get(f"/v1/{path}")).json()["used_by"] for path in ("vars/HOST", "secrets/KEY")]
    assert users == [
        [{"action": "ping", "stages": ["rest", "tell"]}],
        [{"action": "ping", "stages": ["tell"]}],
    ]
    refused = [await each_acme.delete(f"/v1/{path}") for path in ("vars/HOST", "secrets/KEY")]
    assert [(answer.status_code, answer.json()["detail"]) for answer in refused] == [
        (409, "the variable 'HOST' cannot be deleted: it is used by 'ping' (stages rest, tell)"),
        (409, "the secret 'KEY' cannot be deleted: it is used by 'ping' (stage tell)"),
    ]


@pytest.mark.parametrize("path", ["vars/HOST", "secrets/KEY"])
async def test_a_deletion_may_be_forced_and_the_event_says_so(each_acme: AsyncClient, path: str) -> None:
    await put_both(each_acme)
    await each_acme.put("/v1/actions/ping", content=USING)
    assert (await each_acme.delete(f"/v1/{path}?force=true")).status_code == 204
    kind = "variable_deleted" if path == "vars/HOST" else "secret_deleted"
    event = (await each_acme.get(f"/v1/events?kind={kind}")).json()["items"][0]
    assert (event["actor"], event["details"]["forced"], event["details"]["used_by"]) == (
        "test",
        True,
        ["ping"],
    )


async def test_what_nobody_uses_any_more_may_go(each_acme: AsyncClient) -> None:
    await put_both(each_acme)
    await each_acme.put("/v1/actions/ping", content=USING)
    await each_acme.put("/v1/actions/ping", content=PLAIN)
    gone = [await each_acme.delete(f"/v1/{path}") for path in ("vars/HOST", "secrets/KEY")]
    assert [answer.status_code for answer in gone] == [204, 204]


async def test_an_action_and_the_end_of_its_variable_do_not_both_succeed(each_acme: AsyncClient) -> None:
    for number in range(5):
        await put_both(each_acme)
        upload, end = await asyncio.gather(
            each_acme.put("/v1/actions/ping", content=f"{USING}description: try {number}\n"),
            each_acme.delete("/v1/vars/HOST"),
        )
        assert {upload.status_code < 300, end.status_code < 300} == {True, False}
        await each_acme.put("/v1/actions/ping", content=PLAIN)


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("vars/HOST", {"value": None}, "value"),
        ("vars/HOST", {}, "document"),
        ("vars/HOST", {"value": "x" * 70_000}, "value"),
        ("vars/a-b", {"value": 1}, "name"),
        ("vars/in", {"value": 1}, "name"),
        ("secrets/KEY", {"value": "abc"}, "value"),
        ("secrets/KEY", {"value": 12345}, "value"),
        ("secrets/KEY", {"value": "x" * 70_000}, "value"),
        ("secrets/1KEY", {"value": "long enough"}, "name"),
    ],
)
async def test_what_cannot_be_kept_is_refused(acme: AsyncClient, path: str, body: object, where: str) -> None:
    answer = await acme.put(f"/v1/{path}", json=body)
    assert (answer.status_code, [one["where"] for one in answer.json()["problems"]]) == (422, [where])


async def test_a_secret_that_is_no_text_is_refused(acme: AsyncClient) -> None:
    answer = await acme.put("/v1/secrets/KEY", content=b'{"value": "\\ud800abcd"}')
    assert (answer.status_code, answer.json()["problems"][0]["where"]) == (422, "document")


@pytest.mark.parametrize("value", [b'"\\u0000"', b'{"\\u0000": [1e300]}', b"2026-01-01", b"[[[]]]"])
async def test_a_variable_may_be_any_json(each_acme: AsyncClient, value: bytes) -> None:
    answer = await each_acme.put("/v1/vars/ODD", content=b'{"value": ' + value + b"}")
    shown = (await each_acme.get("/v1/vars/ODD")).json()
    assert (answer.status_code, shown["value"]) == (201, answer.json()["value"])


@pytest.mark.parametrize("path", ["vars/HOST", "secrets/KEY", "vars/a%20b"])
async def test_what_is_anothers_is_not_there(server: Server, acme: AsyncClient, path: str) -> None:
    await put_both(acme)
    other = await server.tenant("globex")
    answers = [await other.get(f"/v1/{path}"), await other.delete(f"/v1/{path}?force=true")]
    lists = [(await other.get(f"/v1/{noun}")).json()["items"] for noun in ("vars", "secrets")]
    assert ([answer.status_code for answer in answers], lists) == ([404, 404], [[], []])


async def test_two_tenants_may_use_one_name(each_server: Server, each_acme: AsyncClient) -> None:
    other = await each_server.tenant("globex")
    assert [await put_both(client) for client in (each_acme, other)] == [[201, 201]] * 2
