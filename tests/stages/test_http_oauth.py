import asyncio
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import JsonValue, SecretStr

from activities.stages.exchange import Limits
from activities.stages.http import HTTP
from activities.stages.kind import StageError
from activities.stages.oauth import Grant, Tokens
from cronny.egress import EgressPolicy
from tests.servers import http, oauth
from tests.servers.certificates import self_signed
from tests.servers.http import Reply, Server, json_reply, redirect
from tests.servers.oauth import SECRET, OAuth
from tests.stages.contexts import LOOPBACK, PATIENCE, brief, failure, run

LIMITS = Limits(LOOPBACK, PATIENCE, 100_000)
ORDERS = {"url": "/orders"}
JSON = {"content-type": "application/json"}


@pytest.fixture
def authority() -> Iterator[OAuth]:
    with oauth.running() as authority:
        yield authority


def api(authority: OAuth, **more: object) -> dict[str, object]:
    return {
        "base_url": authority.url,
        "oauth_token_url": authority.token_url,
        **authority.credentials,
        **more,
    }


def grant(authority: OAuth, **parameters: str) -> Grant:
    secret = SecretStr(SECRET)
    return Grant(authority.token_url, authority.client_id, secret, parameters=tuple(parameters.items()))


@pytest.mark.parametrize("way", ["basic", "body"])
async def test_a_token_is_fetched_and_sent(authority: OAuth, way: str) -> None:
    output = await run(HTTP, ORDERS, api(authority, oauth_client_auth=way))
    assert (output["status"], output["body"]) == (200, {"path": "/orders"})
    assert ("authorization" in authority.token_requests[0].headers) == (way == "basic")


async def test_scopes_and_parameters_are_asked_for(authority: OAuth) -> None:
    more = {"oauth_scope": "orders:read orders:write", "oauth_parameters": {"audience": "https://orders"}}
    await run(HTTP, ORDERS, api(authority, **more))
    expected = (
        b"grant_type=client_credentials&scope=orders%3Aread+orders%3Awrite&audience=https%3A%2F%2Forders"
    )
    assert authority.token_requests[0].body == expected


async def test_a_token_is_kept_for_its_connection(authority: OAuth) -> None:
    for scope in ("a", "a", "b", "a"):
        await run(HTTP, ORDERS, api(authority, oauth_scope=scope))
    assert (len(authority.token_requests), len(authority.api_requests)) == (2, 4)


async def test_stages_that_come_due_together_fetch_one_token(authority: OAuth) -> None:
    outputs = await asyncio.gather(*[run(HTTP, ORDERS, api(authority)) for _ in range(20)])
    assert [output["status"] for output in outputs] == [200] * 20
    assert len(authority.token_requests) == 1


@pytest.mark.parametrize(
    ("lifetime", "used"),
    [(3600, 3570), ("100", 90), (None, 270), ("soon", 270), (0, 0), (-5, 0), (True, 270)],
)
async def test_a_token_is_used_until_shortly_before_its_end(
    authority: OAuth, lifetime: JsonValue, used: int
) -> None:
    now = 1000.0
    authority.lifetime = lifetime
    tokens = Tokens(lambda: now)
    first = await tokens.get(grant(authority), LIMITS)
    now += used - 1 if used else 0
    assert (await tokens.get(grant(authority), LIMITS) == first) == (used > 0)
    now += 1
    assert await tokens.get(grant(authority), LIMITS) != first


async def test_tokens_that_were_not_used_for_long_make_room(authority: OAuth) -> None:
    tokens = Tokens(most=2)
    for number in (0, 1, 0, 2, 0, 1):
        await tokens.get(grant(authority, n=str(number)), LIMITS)
    assert (len(tokens), len(authority.token_requests)) == (2, 4)


async def test_a_token_that_is_refused_is_replaced_once(authority: OAuth) -> None:
    await run(HTTP, ORDERS, api(authority))
    authority.revoke()
    fields = {**ORDERS, "method": "POST", "json": [1]}
    assert (await run(HTTP, fields, api(authority)))["status"] == 200
    assert [request.body for request in authority.api_requests] == [b"", b"[1]", b"[1]"]
    assert len(authority.token_requests) == 2


async def test_a_new_token_that_is_refused_is_the_answer(authority: OAuth) -> None:
    authority.answer(json_reply({"access_token": "not-known-to-the-api"}))
    error = await failure(HTTP, {**ORDERS, "expect_status": 200}, api(authority))
    assert brief(error) == ("http.status", f"GET {authority.url}/orders answered 401", False)
    assert (len(authority.token_requests), len(authority.api_requests)) == (1, 1)


async def test_a_replaced_token_that_is_refused_is_the_answer(authority: OAuth) -> None:
    await run(HTTP, ORDERS, api(authority))
    authority.revoke()
    authority.answer(json_reply({"access_token": "not-known-to-the-api"}))
    assert (await run(HTTP, ORDERS, api(authority)))["status"] == 401
    assert (len(authority.token_requests), len(authority.api_requests)) == (2, 3)


async def test_a_401_of_somebody_else_refuses_no_token(authority: OAuth, server: Server) -> None:
    await run(HTTP, ORDERS, api(authority))
    server.answer("/", Reply(401))
    authority.server.answer("/away", redirect(server.url + "/"))
    output = await run(HTTP, {"url": "/away", "follow_redirects": True}, api(authority))
    assert (output["status"], len(authority.token_requests)) == (401, 1)
    assert "authorization" not in server.requests[0].headers


async def test_a_token_is_concealed_each_time(authority: OAuth) -> None:
    concealed: list[str] = []
    for _ in range(2):
        await run(HTTP, ORDERS, api(authority), concealed=concealed)
    assert concealed == authority.issued * 2


@pytest.mark.parametrize(
    ("reply", "code", "said"),
    [
        (
            json_reply({"error": "invalid_client"}, 401),
            "auth",
            "answered 401 instead of a token: invalid_client",
        ),
        (json_reply({"error": f"no {SECRET}"}, 400), "auth", "answered 400 instead of a token"),
        (redirect("https://example.com/"), "auth", "answered 302 instead of a token"),
        (Reply(200, b"<html>log in</html>"), "auth", "gave no bearer token"),
        (json_reply({"access_token": ""}), "auth", "gave no bearer token"),
        (json_reply({"access_token": "a\nb"}), "auth", "gave no bearer token"),
        (json_reply({"access_token": "x" * 20_000}), "auth", "gave no bearer token"),
        (json_reply({"access_token": "a", "token_type": "mac"}), "auth", "gave no bearer token"),
        (json_reply({}, 429, **{"retry-after": "9"}), "rate_limited", "answered 429 instead of a token"),
        (Reply(503, headers={"retry-after": "9"}), "connection", "answered 503 instead of a token"),
        (Reply(raw=b"rubbish\r\n\r\n"), "connection", "the answer broke off or is not HTTP"),
        (Reply(body=b"x" * 200_000), "validation", "the response is larger than 100000 bytes"),
    ],
)
async def test_no_token_is_a_typed_error(authority: OAuth, reply: Reply, code: str, said: str) -> None:
    authority.answer(reply)
    error = await failure(HTTP, ORDERS, api(authority))
    assert (error.code, error.retryable) == (code, code in {"rate_limited", "connection"})
    assert (said in error.message, "s3cret" in f"{error!r} {error.details}") == (True, False)
    assert error.retry_after == (timedelta(seconds=9) if "retry-after" in reply.headers else None)
    assert authority.api_requests == []


async def test_a_failed_fetch_is_tried_again(authority: OAuth) -> None:
    authority.answer(Reply(503))
    await failure(HTTP, ORDERS, api(authority))
    assert (await run(HTTP, ORDERS, api(authority)))["status"] == 200


async def test_the_token_server_is_guarded(authority: OAuth) -> None:
    with pytest.raises(StageError) as caught:
        await Tokens().get(grant(authority), Limits(EgressPolicy(), PATIENCE, 1000))
    assert (caught.value.code, authority.server.requests) == ("egress_denied", [])


async def test_the_time_limit_covers_the_token(authority: OAuth) -> None:
    authority.answer(Reply(is_silent=True))
    error = await failure(HTTP, ORDERS, api(authority), timeout=timedelta(milliseconds=100))
    assert brief(error) == ("timeout", "127.0.0.1 did not answer in time", True)


async def test_who_is_cancelled_leaves_the_fetch_to_the_others(authority: OAuth) -> None:
    authority.server.answer("/token", Reply(delay=0.2, body=b'{"access_token": "slow"}', headers=JSON))
    tokens = Tokens()
    waiting = [asyncio.create_task(tokens.get(grant(authority), LIMITS)) for _ in range(2)]
    await asyncio.to_thread(authority.server.wait_for, lambda: len(authority.token_requests) == 1)
    waiting[0].cancel()
    assert (await waiting[1]).text == "slow"
    assert len(authority.token_requests) == 1


async def test_who_has_little_time_does_not_limit_the_others(authority: OAuth) -> None:
    authority.server.answer("/token", Reply(delay=0.5, body=b'{"access_token": "slow"}', headers=JSON))
    hasty, patient = await asyncio.gather(
        failure(HTTP, ORDERS, api(authority), timeout=timedelta(milliseconds=50)),
        run(HTTP, ORDERS, api(authority)),
    )
    assert (hasty.code, patient["status"]) == ("timeout", 401)


async def test_a_fetch_that_nobody_waits_for_ends(authority: OAuth) -> None:
    authority.server.answer("/token", Reply(is_silent=True))
    waiting = asyncio.create_task(run(HTTP, ORDERS, api(authority)))
    await asyncio.to_thread(authority.server.wait_for, lambda: len(authority.token_requests) == 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.to_thread(authority.server.wait_for, lambda: authority.server.departures == 1)


async def test_a_token_server_of_its_own_is_trusted_beside_the_public_ones(tmp_path: Path) -> None:
    own = self_signed()
    reply = Reply(body=b'{"access_token": "t"}', headers=JSON)
    with http.running(tls=own.context(tmp_path)) as issuer, http.running() as server:
        issuer.answer("/token", reply)
        credentials = {"oauth_client_id": "c", "oauth_client_secret": "s"}
        connection = {"base_url": server.url, "ca_certificate": own.certificate, **credentials}
        connection["oauth_token_url"] = f"{issuer.url}/token"
        await run(HTTP, ORDERS, connection)
    assert server.requests[0].headers["authorization"] == "Bearer t"


async def test_a_token_server_that_is_the_api_is_shown_the_same(tmp_path: Path) -> None:
    own, client = self_signed(host="api.internal"), self_signed(host="client.example")
    with http.running(tls=own.asking(tmp_path, client, ssl.CERT_REQUIRED)) as server:
        server.answer("/token", Reply(body=b'{"access_token": "t"}', headers=JSON))
        base = server.url.replace("127.0.0.1", "localhost")
        connection = {
            "base_url": base,
            "ca_certificate": own.certificate,
            "client_certificate": client.certificate,
            "client_key": client.key,
            "tls_server_name": "api.internal",
            "oauth_token_url": f"{base}/token",
            "oauth_client_id": "c",
            "oauth_client_secret": "s",
        }
        await run(HTTP, ORDERS, connection)
    assert [request.has_certificate for request in server.requests] == [True, True]


def test_neither_token_nor_secret_is_shown(authority: OAuth) -> None:
    token = asyncio.run(Tokens().get(grant(authority), LIMITS))
    assert authority.issued[0] not in repr(token)
    assert SECRET not in repr(grant(authority))
    assert httpx.URL(authority.token_url).host in repr(grant(authority))
