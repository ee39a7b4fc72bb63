"""Connections tested against real servers, without changing anything there."""

from collections.abc import Iterator, Mapping

import pytest

from activities.stages.catalogue import KINDS
from activities.stages.docker import DOCKER, docker_kind
from activities.stages.http import HTTP
from activities.stages.kind import ConnectionContext, Kind, StageError
from activities.stages.mysql import MYSQL
from activities.stages.pagerduty import PAGERDUTY
from activities.stages.postgres import POSTGRES
from activities.stages.redis import REDIS
from activities.stages.s3 import S3
from activities.stages.slack import SLACK
from cronny.docker import Docker, DockerRules
from cronny.egress import EgressPolicy
from tests.servers import docker, http, mariadb, pagerduty, redis, registry, s3
from tests.servers.http import Reply, Request
from tests.servers.slack import Workspace
from tests.stages.contexts import LOOPBACK, PATIENCE
from tests.stages.databases import settings_of
from tests.stages.docker_stage import kind_at


async def check(kind: Kind, settings: Mapping[str, object], egress: EgressPolicy = LOOPBACK) -> str:
    assert kind.connection_model is not None
    assert kind.check_connection is not None
    context = ConnectionContext(
        kind.connection_model.model_validate(settings), egress, PATIENCE, lambda _: None, "acme"
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


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, "MariaDB 1"),
        ({"database": "nowhere"}, "sql.invalid_catalog_name"),
        ({"user": "nobody", "password": "x"}, "auth"),
        ({"tls": "verify"}, "tls"),
    ],
)
async def test_mysql_logs_in(mysql_server: mariadb.Server, change: dict[str, object], found: str) -> None:
    settings = mysql_server.settings(**change)
    if found.startswith("MariaDB"):
        assert (await check(MYSQL, settings)).startswith(found)
    else:
        assert await code(MYSQL, settings) == found


async def test_mysql_logs_in_over_tls(mysql_server: mariadb.Server) -> None:
    settings = mysql_server.settings(tls="verify", ca_certificate=mysql_server.own.certificate)
    assert (await check(MYSQL, settings)).endswith(" lets root in")


@pytest.fixture(scope="module")
def redis_server() -> Iterator[redis.Server]:
    with redis.running() as server:
        yield server


async def test_redis_logs_in(redis_server: redis.Server) -> None:
    found = await check(REDIS, redis_server.settings)
    assert (found[:6], found[-24:]) == ("Redis ", "lets the default user in")
    assert (await check(REDIS, redis_server.secure)) == found
    reader = {**redis_server.settings, "user": "reader"}
    assert await check(REDIS, reader) == "the server lets reader in"  # who may not ask for more


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"password": "wrong"}, "auth"),
        ({"password": None}, "auth"),
        ({"database": 9999}, "redis.err"),
        ({"tls": "verify"}, "tls"),
    ],
)
async def test_redis_tells_what_is_wrong(
    redis_server: redis.Server, change: dict[str, object], expected: str
) -> None:
    assert await code(REDIS, {**redis_server.secure, "ca_certificate": None, "tls": "require", **change}) == (
        expected
    )


@pytest.fixture(scope="module")
def s3_server() -> Iterator[s3.Server]:
    with s3.running() as server:
        s3.add_stranger(server)
        server.client().create_bucket(Bucket="orders")
        yield server


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, "the keys are known, and may list buckets"),
        ({"bucket": "orders"}, "the bucket orders can be listed with these keys"),
        (
            {"bucket": "orders", **s3.STRANGER},
            "the keys are known, but may not list the bucket orders; what else they may do was not tested",
        ),
    ],
)
async def test_s3_takes_the_keys(s3_server: s3.Server, change: dict[str, object], found: str) -> None:
    assert await check(S3, {**s3_server.settings, **change}) == found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"secret_access_key": "wrong"}, "auth"),
        ({"access_key_id": "nobody"}, "auth"),
        ({"bucket": "orders", "secret_access_key": "wrong"}, "auth"),
        ({"bucket": "nowhere"}, "s3.no_such_bucket"),
        ({"region": "us-west-9"}, "s3.authorization_header_malformed"),
    ],
)
async def test_s3_tells_what_is_wrong(s3_server: s3.Server, change: dict[str, object], expected: str) -> None:
    assert await code(S3, {**s3_server.settings, **change}) == expected


async def test_s3_is_no_page_of_something_else() -> None:
    keys = {"access_key_id": "a", "secret_access_key": "b"}
    with http.running(lambda _: Reply(200, b"<html></html>")) as server:
        assert await code(S3, {**keys, "endpoint": server.url}) == "s3.unexpected_answer"
    with http.running(lambda _: Reply(403, b"denied by a proxy")) as server:
        assert await code(S3, {**keys, "endpoint": server.url}) == "auth"


async def test_pagerduty_answers_without_an_event_or_the_key() -> None:
    with pagerduty.running() as service:
        settings = {"routing_key": service.routing_key, "base_url": service.url}
        assert await check(PAGERDUTY, settings) == (
            "127.0.0.1 answers, without TLS, and the key has the form of one; whether PagerDuty knows it was "
            "not tested, since only an event could tell"
        )
        assert (service.events, len(service.requests)) == ([], 1)
        assert service.routing_key not in repr(service.requests)


async def test_pagerduty_is_broken_while_it_says_so() -> None:
    with http.running(lambda _: Reply(503)) as server:
        settings = {"routing_key": pagerduty.ROUTING_KEY, "base_url": server.url}
        assert await code(PAGERDUTY, settings) == "connection"


@pytest.fixture
def images() -> Iterator[registry.Registry]:
    with registry.running() as images:
        yield images


def login(images: registry.Registry, **others: str) -> dict[str, object]:
    return {"registry": images.host, "username": registry.USER, "password": registry.PASSWORD, **others}


async def test_docker_answers(engine: docker.Engine) -> None:
    found = await check(kind_at(engine), {})
    assert found.startswith("Docker ")
    assert found.endswith("it has no credentials for a registry to test")
    assert await code(kind_at(engine, images=()), {}) == "validation"
    assert await code(DOCKER, {}) == "validation"  # an installation without an Engine


async def test_docker_logs_in_at_the_registry(engine: docker.Engine, images: registry.Registry) -> None:
    kind = kind_at(engine, images=("127.0.0.1:*/**",))
    assert (await check(kind, login(images))).endswith(f"{images.host} lets reader in")
    assert await code(kind, login(images, password="wrong")) in {"auth", "code.image"}


async def test_docker_goes_to_no_registry_that_is_closed(
    engine: docker.Engine, images: registry.Registry
) -> None:
    assert await code(kind_at(engine), login(images)) == "validation"
    assert await code(kind_at(engine, images=("**",)), login(images), EgressPolicy()) == "egress_denied"
    kind = kind_at(engine, images=("**",), pull=False)
    assert (await check(kind, login(images))).endswith("was not tested")
    assert images.server.requests == []


async def test_docker_goes_where_the_operator_has_named_the_registry(
    engine: docker.Engine, images: registry.Registry
) -> None:
    kind = kind_at(engine, images=(f"{images.host}/acme/*",))
    assert (await check(kind, login(images), EgressPolicy())).endswith(" lets reader in")


async def test_docker_tells_of_an_engine_that_is_away() -> None:
    kind = docker_kind(Docker("tcp://127.0.0.1:1", DockerRules(images=("**",))))
    assert await code(kind, {}) == "connection"


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.connection_model], ids=lambda kind: kind.name
)
def test_every_kind_of_connection_has_a_test(kind: Kind) -> None:
    assert kind.check_connection is not None


SQL = {"host": "127.0.0.1", "port": 1, "database": "x", "user": "x", "tls": "disable"}
AWAY: dict[str, tuple[Kind, dict[str, object]]] = {
    "http": (HTTP, {"base_url": "http://127.0.0.1:1"}),
    "slack": (SLACK, {"webhook_url": "http://127.0.0.1:1/services/x"}),
    "postgres": (POSTGRES, SQL),
    "mysql": (MYSQL, SQL),
    "redis": (REDIS, {"host": "127.0.0.1", "port": 1, "tls": "disable"}),
    "s3": (
        S3,
        {"endpoint": "http://127.0.0.1:1", "access_key_id": "a", "secret_access_key": "b"},
    ),
    "pagerduty": (
        PAGERDUTY,
        {"routing_key": pagerduty.ROUTING_KEY, "base_url": "http://127.0.0.1:1"},
    ),
}


@pytest.mark.parametrize("name", AWAY)
async def test_a_server_that_is_away_is_told(name: str) -> None:
    kind, settings = AWAY[name]
    assert await code(kind, settings) == "connection"
    assert await code(kind, settings, EgressPolicy()) == "egress_denied"
