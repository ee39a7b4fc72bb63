"""A credential or a secret appears nowhere but where it is needed, wherever one looks."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit

import asyncpg
import pytest
from pydantic import JsonValue
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest

from cronny.settings import Settings
from cronny.temporal.connection import connect
from tests.e2e.installation import Installation
from tests.e2e.tenant import TenantClient, until
from tests.servers import http
from tests.servers.http import Server

CANARY = "canary-7f3e9b51c2"
ROUTING_KEY = "magpie0000000000000000000007a31c"
TOKEN = "nightingale.5d2e8a17c4"  # what the token server gives for the canary
ECHO = """\
version: 1
name: echo
stages:
  - id: ask
    uses: http
    connection: api
    with: {method: POST, url: /echo, body: "hello ${{ trigger.id }}", expect_status: 2xx}
    retry: {max_attempts: 2, delay: 100ms}
  - id: ask_with_token
    uses: http
    connection: api_with_token
    with: {method: POST, url: "/echo?of=${{ trigger.id }}", expect_status: 2xx}
    continue_on_error: true
  - id: page
    uses: pagerduty
    connection: oncall
    with: {summary: late}
    continue_on_error: true
  - id: tell
    uses: slack
    connection: team
    with: {text: "it said ${{ string(input.said) }}"}
connectors:
  - {from: ask_with_token, to: page}
  - {from: ask, to: tell, on: always, map: {said: "${{ error.message }}"}}
outputs: {said: "${{ stages.ask.error }}"}
"""
SECRET = 'canary "9d2f&b7/41+c'
TELLING = """\
version: 1
name: telling
stages:
  - id: ask
    uses: http
    connection: open
    with:
      method: POST
      url: "/echo/${{ secrets.TOKEN }}"
      headers:
        authorization: "Basic ${{ base64.encode(bytes('ann:' + secrets.TOKEN)) }}"
        x-derived: "${{ secrets.TOKEN.replace('canary', 'derived') }}"
      json: {token: "${{ secrets.TOKEN }}", region: "${{ vars.REGION }}"}
  - id: copy
    uses: set
    with: {values: {token: "say ${{ secrets.TOKEN }}", size: "${{ size(secrets.TOKEN) }}"}}
  - {id: ask_again, uses: http, connection: open, with: {url: "/told"}}
  - id: shape
    uses: http
    connection: open
    with: {url: "/told"}
    output: {loud: "${{ output.body.secret.upperAscii() }}"}
  - id: refuse
    uses: fail
    with: {message: "cannot take ${{ secrets.TOKEN }}"}
    continue_on_error: true
  - id: wrong
    uses: http
    with: {url: "${{ secrets.TOKEN }}", max_bytes: "${{ secrets.TOKEN }}"}
    continue_on_error: true
outputs:
  region: ${{ vars.REGION }}
  told: ${{ stages.ask_again.output }}
  copied: ${{ stages.copy.output }}
"""
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json": lambda text: json.dumps(text)[1:-1],
    "json in json": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "url": lambda text: quote(text, safe=""),
    "path": quote,
    "basic": lambda text: base64.b64encode(b"ann:" + text.encode()).decode()[8:-4],
    "shaped": str.upper,
    "derived": lambda text: text.replace("canary", "derived"),
    "derived in json": lambda text: json.dumps(text.replace("canary", "derived"))[1:-1],
}


@pytest.fixture
def echo() -> Iterator[Server]:
    """A server that repeats the credentials it was sent, in its answer and in its status line's company."""

    def repeat(request: http.Request) -> http.Reply:
        if request.path == "/token":
            return http.json_reply({"access_token": TOKEN, "token_type": "bearer"})
        if request.path == "/v2/enqueue":
            return http.json_reply({"message": f"you sent {request.body.decode()}"}, 400)
        headers: JsonValue = dict[str, JsonValue](request.headers)
        told = {"path": request.path, "headers": headers, "body": request.body.decode()}
        if request.path.startswith(("/echo/", "/told")):
            return http.json_reply({**told, "secret": SECRET}, 200, **{"x-echo": quote(SECRET)})
        return http.json_reply({"you_sent": dict(request.headers)}, 500, **{"x-echo": CANARY})

    with http.running(repeat) as server:
        yield server


@pytest.fixture
def traces(installation: Installation, tenant: TenantClient, echo: Server) -> dict[str, bytes]:
    """Everything that is kept after a trigger whose connections hold the canary."""
    tenant.put_connection("api", "http", base_url=echo.url, token=CANARY)
    oauth = {
        "oauth_token_url": f"{echo.url}/token",
        "oauth_client_id": "cronny",
        "oauth_client_secret": CANARY,
    }
    in_query = {"api_key": CANARY, "api_key_query": "key"}
    tenant.put_connection("api_with_token", "http", base_url=echo.url, **oauth, **in_query)
    tenant.put_connection("oncall", "pagerduty", base_url=echo.url, routing_key=ROUTING_KEY)
    tenant.put_connection("team", "slack", webhook_url=f"{echo.url}/services/{CANARY}")
    tenant.put_action("echo", ECHO)
    ended = tenant.run("echo")
    assert (ended["state"], len(echo.requests)) == ("failed", 6)
    tenant.put_connection("open", "http", base_url=echo.url)
    tenant.http.put("/v1/secrets/TOKEN", json={"value": SECRET}).raise_for_status()
    tenant.http.put("/v1/vars/REGION", json={"value": "eu-7"}).raise_for_status()
    tenant.put_action("telling", TELLING)
    told = tenant.run("telling")
    assert (told["state"], told["outputs"]["region"]) == ("completed", "eu-7")
    tested = ("api", "api_with_token", "team")
    tests = [tenant.http.post(f"/v1/connections/{name}/test", timeout=30) for name in tested]
    assert [one.json()["code"] for one in tests] == ["http.status", "http.status", "connection"]
    paths = ("triggers", "connections", "actions/echo", "secrets", "secrets/TOKEN", "vars", "events")
    answers = [*tests, *[tenant.http.get(f"/v1/{path}") for path in paths]]
    return {
        "api": b"".join(answer.content for answer in answers) + json.dumps([ended, told]).encode(),
        "log of the api": installation.log("api").encode(),
        "log of the worker": installation.log("worker").encode(),
        "temporal": asyncio.run(histories(installation, tenant.slug)),
        "database": contents(installation),
    }


def test_a_secret_leaves_no_trace(traces: dict[str, bytes]) -> None:
    secrets = (CANARY.encode(), TOKEN.encode(), ROUTING_KEY.encode())
    assert [place for place, found in traces.items() if any(one in found for one in secrets)] == []


def test_a_secret_of_the_tenant_leaves_no_trace_in_any_form(traces: dict[str, bytes]) -> None:
    shown = {form: make(SECRET).encode() for form, make in FORMS.items()}
    assert [(place, form) for place in traces for form in shown if shown[form] in traces[place]] == []


def test_what_is_used_says_so(tenant: TenantClient, traces: dict[str, bytes]) -> None:
    assert traces
    used = until(lambda: _last_used(tenant), lambda found: None not in found)
    assert len(used) == 5


def _last_used(tenant: TenantClient) -> list[str | None]:
    kept = [
        one for noun in ("secrets", "connections") for one in tenant.http.get(f"/v1/{noun}").json()["items"]
    ]
    return [one["last_used"] for one in kept if one["name"] != "team"]


def test_the_search_for_the_secret_finds_what_is_there(traces: dict[str, bytes]) -> None:
    assert b"echo" in traces["temporal"]
    assert b"http.status" in traces["database"]
    assert b"***" in traces["api"]


async def histories(installation: Installation, slug: str) -> bytes:
    """The histories of a tenant's triggers, as Temporal keeps them."""
    client = await connect(Settings(temporal_address=installation.temporal.address))
    request = ListWorkflowExecutionsRequest(namespace="default", query=f"CronnyTenant = '{slug}'")
    found: list[bytes] = []
    while not found:  # visibility is written a moment later
        listed = await client.workflow_service.list_workflow_executions(request)
        handles = [client.get_workflow_handle(one.execution.workflow_id) for one in listed.executions]
        found = [(await handle.fetch_history()).to_json().encode() for handle in handles]
    files = [path.read_bytes() for path in installation.folder.glob("temporal.db*")]
    return b"".join([*found, *files])


def contents(installation: Installation) -> bytes:
    """Every row of the database; of SQLite the files themselves."""
    url = installation.settings.database_url
    if url.startswith("sqlite"):
        return b"".join(path.read_bytes() for path in installation.folder.glob("cronny.db*"))
    return asyncio.run(rows(urlsplit(url)._replace(scheme="postgresql").geturl()))


async def rows(url: str) -> bytes:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(url)
    names = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    texts = [row[0] for name in names for row in await connection.fetch(f'select t::text from "{name[0]}" t')]
    await connection.close()
    return "\n".join(texts).encode()
