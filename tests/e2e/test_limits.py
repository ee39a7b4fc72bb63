"""Triggers that wait for a place among those of their action or tenant."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from cronny.store.database import Database
from cronny.store.tables import Tenant
from tests.e2e.installation import Installation
from tests.e2e.tenant import TenantClient, until
from tests.servers import http
from tests.servers.http import Reply, Server, json_reply

COUNT = 30
CALL = """\
version: 1
name: call
concurrency: {{limit: {limit}, key: "{key}", on_limit: {on_limit}}}
inputs: {{path: {{type: string, default: a}}}}
stages:
  - {{id: call, uses: http, with: {{method: POST, url: "{url}/${{{{ inputs.path }}}}"}}}}
"""


@pytest.fixture
def called() -> Iterator[Server]:
    """A server whose answers take a moment."""
    with http.running(lambda _: Reply(delay=0.1)) as server:
        yield server


def action(called: Server, limit: int = 1, key: str = "all", on_limit: str = "queue") -> str:
    return CALL.format(url=called.url, limit=limit, key=key, on_limit=on_limit)


def test_a_herd_executes_so_many_at_once_and_all_of_it(tenant: TenantClient, called: Server) -> None:
    tenant.put_action("call", action(called, limit=3))
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8)
    for number in range(COUNT):
        tenant.put_schedule(f"s{number}", action="call", schedule={"at": due.isoformat()})
    rows = until(
        tenant.triggers,
        lambda rows: len(rows) == COUNT and all(row["finished"] for row in rows),
    )
    assert [row["state"] for row in rows] == ["completed"] * COUNT
    assert called.most_busy == 3


def test_each_key_is_counted_apart(tenant: TenantClient, called: Server) -> None:
    tenant.put_action("call", action(called, key="${{ inputs.path }}"))
    for path in ("a", "b"):
        called.answer(f"/{path}", Reply(delay=3))
    started = [tenant.start("call", path=path)["id"] for path in ("a", "a", "b", "b")]
    assert {tenant.ended(one)["state"] for one in started} == {"completed"}
    assert called.most_busy == 2


def test_the_newest_takes_the_place(tenant: TenantClient, called: Server) -> None:
    tenant.put_action("call", action(called, on_limit="cancel_running"))
    called.answer("/a", Reply(delay=30), json_reply({}))
    first = tenant.start("call")["id"]
    until(lambda: tenant.trigger(first), lambda found: found["state"] == "executing")
    second = tenant.start("call")["id"]
    found = [tenant.ended(one) for one in (first, second)]
    assert [(one["state"], one["reason"]) for one in found] == [
        ("cancelled", "concurrency_cancelled"), ("completed", ""),
    ]  # fmt: skip


def test_a_key_that_cannot_be_made_fails_its_trigger(tenant: TenantClient, called: Server) -> None:
    tenant.put_action("call", action(called, key="${{ inputs.path[3] }}").replace("string", "array").replace(
        "default: a", "default: []"
    ))  # fmt: skip
    found = tenant.run("call")
    assert (found["state"], found["error"]["code"]) == ("failed", "expression")
    assert found["error"]["message"].startswith("concurrency.key: ")


def test_a_tenant_executes_no_more_than_it_may(
    installation: Installation, tenant: TenantClient, called: Server
) -> None:
    asyncio.run(limit(installation, tenant.slug, 2))
    tenant.put_action("call", action(called).replace("concurrency", "# concurrency"))
    started = [tenant.start("call")["id"] for _ in range(6)]
    assert {tenant.ended(one)["state"] for one in started} == {"completed"}
    assert called.most_busy == 2


async def limit(installation: Installation, slug: str, running: int) -> None:
    database = Database(installation.settings.database_url)
    async with database.write() as session:
        change = update(Tenant).where(col(Tenant.slug) == slug)
        await session.execute(change.values(limit_running_triggers=running))
    await database.close()
