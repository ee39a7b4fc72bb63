"""Connections tested against real servers, without changing anything there."""

from collections.abc import Mapping

import pytest

from activities.stages.http import HTTP
from activities.stages.kind import ConnectionContext, Kind, StageError
from activities.stages.postgres import POSTGRES
from activities.stages.slack import SLACK
from cronny.egress import EgressPolicy
from tests.servers import http
from tests.servers.http import Reply, Request
from tests.servers.slack import Workspace
from tests.stages.contexts import LOOPBACK, PATIENCE
from tests.stages.databases import settings_of


async def check(kind: Kind, settings: Mapping[str, object], egress: EgressPolicy = LOOPBACK) -> str:
    assert kind.connection_model is not None
    assert kind.check_connection is not None
    context = ConnectionContext(
        kind.connection_model.model_validate(settings), egress, PATIENCE, lambda _: None
    )
    return await kind.check_connection(context)


async def code(kind: Kind, settings: Mapping[str, object], egress: EgressPolicy = LOOPBACK) -> str:
    with pytest.raises(StageError) as caught:
        await check(kind, settings, egress)
    return caught.value.code


def guarded(request: Request) -> Reply:
    """A server with one path that a token opens."""
    if request.path == "/only-get" and request.method == "HEAD":
        return Reply(405)
    if request.path == "/broken":
        return Reply(503)
    return Reply(200 if request.headers.get("authorization") == "Bearer right" else 401)


async def test_http_sends_its_credentials() -> None:
    with http.running(guarded) as server:
        found = await check(HTTP, {"base_url": server.url, "token": "right"})
        assert found == "127.0.0.1 answered 200"
        assert [request.method for request in server.requests] == ["HEAD"]


async def test_http_asks_a_server_that_knows_no_head() -> None:
    with http.running(guarded) as server:
        assert "200" in await check(HTTP, {"base_url": f"{server.url}/only-get", "token": "right"})
        assert [request.method for request in server.requests] == ["HEAD", "GET"]


@pytest.mark.parametrize(
    ("path", "token", "expected"),
    [
        ("", "wrong", "auth"),
        ("/only-get", "wrong", "auth"),
        ("/broken", "right", "http.status"),
        ("", "a\nb", "validation"),
    ],
)
async def test_http_tells_what_is_wrong(path: str, token: str, expected: str) -> None:
    with http.running(guarded) as server:
        assert await code(HTTP, {"base_url": server.url + path, "token": token}) == expected


async def test_slack_asks_who_the_token_is(workspace: Workspace) -> None:
    settings = {"token": workspace.token, "base_url": workspace.api_url}
    assert await check(SLACK, settings) == "the token is cronny's, of the workspace Double"
    assert await code(SLACK, {**settings, "token": "xoxb-wrong"}) == "auth"
    assert workspace.messages == []


async def test_slack_finds_a_webhook_without_posting(workspace: Workspace) -> None:
    assert await check(SLACK, {"webhook_url": workspace.webhook_url}) == "the webhook is there"
    assert await code(SLACK, {"webhook_url": f"{workspace.server.url}/services/T0/B0/none"}) == "auth"
    assert workspace.messages == []


async def test_slack_says_when_it_asks_to_wait(workspace: Workspace) -> None:
    workspace.answer("ratelimited")
    assert await code(SLACK, {"webhook_url": workspace.webhook_url}) == "rate_limited"


async def test_postgres_logs_in(postgres_url: str) -> None:
    settings = settings_of(postgres_url)
    assert (await check(POSTGRES, settings)).startswith("PostgreSQL 1")
    assert (await code(POSTGRES, {**settings, "database": "nowhere"})).startswith("sql.")


AWAY: dict[str, tuple[Kind, dict[str, object]]] = {
    "http": (HTTP, {"base_url": "http://127.0.0.1:1"}),
    "slack": (SLACK, {"webhook_url": "http://127.0.0.1:1/services/x"}),
    "postgres": (POSTGRES, {"host": "127.0.0.1", "port": 1, "database": "x", "user": "x", "tls": "disable"}),
}


@pytest.mark.parametrize("name", AWAY)
async def test_a_server_that_is_away_is_told(name: str) -> None:
    kind, settings = AWAY[name]
    assert await code(kind, settings) == "connection"
    assert await code(kind, settings, EgressPolicy()) == "egress_denied"
