"""The stories of `examples/`, from their files, triggered by their own schedules."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from pydantic import JsonValue

from tests.e2e.tenant import TenantClient, stage
from tests.servers import http, slack
from tests.servers.http import Reply, Server, json_reply
from tests.servers.slack import Workspace

EXAMPLES = Path(__file__).parents[2] / "examples"
ORDERS: JsonValue = {"orders": [{"id": 1, "total": 12.5}, {"id": 2, "total": 7}]}
SOON = "in 1 second"


@pytest.fixture
def api() -> Iterator[Server]:
    with http.running() as server:
        yield server


@pytest.fixture
def team() -> Iterator[Workspace]:
    with slack.running() as workspace:
        yield workspace


@pytest.fixture
def check(tenant: TenantClient, api: Server, team: Workspace) -> Callable[[], dict[str, Any]]:
    """Uploads the first story and waits for the trigger of its schedule."""
    tenant.put_connection("team_slack", "slack", token=team.token, base_url=team.api_url)

    def run() -> dict[str, Any]:
        tenant.put_action("check_orders_api", example("check_orders_api", api.url))
        return tenant.first_ended("check_orders_api")

    return run


@pytest.fixture
def orders_db(tenant: TenantClient, fresh_postgres: str) -> str:
    """A tenant's database, known to Cronny as the connection `orders_db`."""
    execute(fresh_postgres, "create table orders (id integer primary key, total numeric not null)")
    server = urlsplit(fresh_postgres)
    tenant.put_connection(
        "orders_db",
        "postgres",
        host=server.hostname,
        port=server.port,
        database=server.path[1:],
        user="postgres",
        password="not-asked-for",
        tls="disable",
    )
    return fresh_postgres


def example(name: str, url: str) -> str:
    """An example whose API is ours, whose schedule fires in a moment, and that does not wait long."""
    text = (EXAMPLES / f"{name}.yaml").read_text()
    lines = [f"schedule: {SOON}" if line.startswith("schedule:") else line for line in text.splitlines()]
    quick = re.sub(r"(?<=delay: )\d+s", "200ms", "\n".join(lines))
    return re.sub(r"(?<=timeout: )\d+s", "1s", quick).replace("https://api.example.com", url)


def execute(url: str, sql: str) -> list[dict[str, Any]]:
    """The rows of a statement."""

    async def run() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(url)
        try:
            return [dict(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(run())


def test_nobody_is_told_when_the_api_is_well(
    api: Server, team: Workspace, check: Callable[[], dict[str, Any]]
) -> None:
    api.answer("/orders", json_reply(ORDERS))
    trigger = check()
    assert (trigger["state"], stage(trigger, "alert")["state"], team.messages) == ("completed", "skipped", [])


def test_slack_hears_of_a_status(api: Server, team: Workspace, check: Callable[[], dict[str, Any]]) -> None:
    api.answer("/orders", Reply(503, b"down for repair"))
    trigger = check()
    assert trigger["state"] == "completed"
    assert [(one.channel, one.text) for one in team.messages] == [
        ("C00000001", f"The orders API at {api.url}/orders is not well: it answered 503")
    ]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(cut=0, body=b"x"), "connection"),
        (Reply(raw=b"\x00\xff rubbish\r\n\r\n"), "connection"),
        (Reply(is_silent=True), "timeout"),
    ],
    ids=["broken", "rubbish", "slow"],
)
def test_slack_hears_of_an_api_that_fails(
    api: Server, team: Workspace, check: Callable[[], dict[str, Any]], reply: Reply, said: str
) -> None:
    api.answer("/orders", reply)
    trigger = check()
    assert (trigger["state"], stage(trigger, "fetch")["error"]["code"]) == ("completed", said)
    assert len(team.messages) == 1


def test_slack_hears_of_an_api_that_is_away(tenant: TenantClient, team: Workspace) -> None:
    tenant.put_connection("team_slack", "slack", webhook_url=team.webhook_url)
    tenant.put_action("check_orders_api", example("check_orders_api", "http://127.0.0.1:9"))
    trigger = tenant.first_ended("check_orders_api")
    assert (stage(trigger, "fetch")["error"]["code"], len(team.messages)) == ("connection", 1)


def test_rows_are_inserted(tenant: TenantClient, api: Server, orders_db: str) -> None:
    api.answer("/orders", json_reply(ORDERS))
    tenant.put_action("import_orders", example("import_orders", api.url))
    trigger = tenant.first_ended("import_orders")
    assert (trigger["state"], trigger["outputs"]) == ("completed", {"orders": 2})
    rows = execute(orders_db, "select id, total::float8 from orders order by id")
    assert rows == [{"id": 1, "total": 12.5}, {"id": 2, "total": 7.0}]


@pytest.mark.parametrize(
    ("reply", "failed", "code"),
    [
        (Reply(500), "fetch", "http.status"),
        (Reply(200, b"<html>not orders</html>"), "insert", "expression"),
        (json_reply({"orders": [{"id": "x", "total": "y"}]}), "insert", "validation"),
        (json_reply({"orders": [{"id": 1, "total": 1}, {"id": 2, "total": None}]}), "insert", "sql."),
    ],
    ids=["status", "rubbish", "wrong-types", "constraint"],
)
def test_nothing_is_inserted_from_a_bad_answer(
    tenant: TenantClient, api: Server, orders_db: str, reply: Reply, failed: str, code: str
) -> None:
    api.answer("/orders", reply)
    tenant.put_action("import_orders", example("import_orders", api.url))
    trigger = tenant.first_ended("import_orders")
    assert (trigger["state"], trigger["error"]["stage"]) == ("failed", failed)
    assert trigger["error"]["code"].startswith(code)
    assert execute(orders_db, "select * from orders") == []


def test_code_sums_up_what_slack_is_told(tenant: TenantClient, api: Server, team: Workspace) -> None:
    totals = [("us", 1), ("eu", 12.5), ("us", 2)]
    api.answer("/orders", json_reply({"orders": [{"region": name, "total": n} for name, n in totals]}))
    tenant.put_connection("team_slack", "slack", token=team.token, base_url=team.api_url)
    tenant.put_action("report_orders", example("report_orders", api.url))
    trigger = tenant.first_ended("report_orders")
    assert (trigger["state"], stage(trigger, "sum_up")["log"]) == ("completed", "3 orders of 2 regions")
    assert [one.text for one in team.messages] == ["Ordered yesterday:\neu: 12.50\nus: 3.00"]


def test_code_that_fails_names_its_line(tenant: TenantClient, api: Server, team: Workspace) -> None:
    api.answer("/orders", json_reply({"orders": [{"id": 1}]}))
    tenant.put_connection("team_slack", "slack", token=team.token, base_url=team.api_url)
    tenant.put_action("report_orders", example("report_orders", api.url))
    error = tenant.first_ended("report_orders")["error"]
    assert (error["stage"], error["code"]) == ("sum_up", "code.error")
    assert error["message"] == "line 4: KeyError: 'region'"
