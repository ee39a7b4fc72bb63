import base64
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from activities.stages.http import HTTP
from activities.stages.http_connection import HttpConnection
from tests.servers.certificates import self_signed
from tests.servers.http import Reply, Server, json_reply, redirect, running
from tests.stages.contexts import brief, failure, run

BASIC = base64.b64encode(b"ann:pass word").decode()


@pytest.mark.parametrize(
    ("credentials", "header", "value"),
    [
        ({"token": "tok"}, "authorization", "Bearer tok"),
        ({"username": "ann", "password": "pass word"}, "authorization", f"Basic {BASIC}"),
        ({"api_key": "k"}, "x-api-key", "k"),
        ({"api_key": "k", "api_key_header": "X-Auth"}, "x-auth", "k"),
        ({"headers": {"X-Team": "a"}}, "x-team", "a"),
    ],
)
async def test_credentials_are_sent(
    server: Server, credentials: dict[str, object], header: str, value: str
) -> None:
    fields = {"url": "/orders", "headers": {header: "from the stage"}}
    await run(HTTP, fields, {"base_url": server.url, **credentials})
    assert server.requests[0].headers[header] == value


async def test_a_key_in_the_query_is_added_last_and_stands_once(server: Server) -> None:
    connection = {"base_url": server.url, "api_key": "k&1", "api_key_query": "key"}
    fields = {"url": "/orders?a=1&key=theirs", "query": {"b": 2, "key": ["x", "y"]}}
    await run(HTTP, fields, connection)
    assert server.requests[0].query == [("a", "1"), ("b", "2"), ("key", "k&1")]
    assert "x-api-key" not in server.requests[0].headers


async def test_no_error_or_log_quotes_a_key_in_the_query(server: Server) -> None:
    server.answer("/", Reply(500))
    log: list[str] = []
    connection = {"base_url": server.url, "api_key": "s3cret", "api_key_query": "key"}
    error = await failure(HTTP, {"url": "/", "expect_status": 200}, connection, log=log)
    assert "s3cret" not in f"{error.message} {log}"


@pytest.mark.parametrize(
    ("base", "url", "path"),
    [
        ("", "orders", "/orders"),
        ("/v1", "/orders", "/v1/orders"),
        ("/v1/", "orders", "/v1/orders"),
        ("/v1", "{url}/v2/orders", "/v2/orders"),
        ("", "//elsewhere.example", "/elsewhere.example"),
        ("", "@elsewhere.example/x", "/@elsewhere.example/x"),
        ("", "http.txt", "/http.txt"),
    ],
)
async def test_a_url_is_below_the_base(server: Server, base: str, url: str, path: str) -> None:
    await run(HTTP, {"url": url.format(url=server.url)}, {"base_url": server.url + base})
    assert server.requests[0].path == path


@pytest.mark.parametrize(
    "url", ["http://elsewhere.example/", "https://127.0.0.1/", "http://127.0.0.1:1/", "HTTP://localhost/"]
)
async def test_another_origin_is_refused(server: Server, url: str) -> None:
    error = await failure(HTTP, {"url": url}, {"base_url": server.url, "token": "tok"})
    assert (error.code, error.retryable) == ("validation", False)
    assert error.message.startswith("the connection is for 127.0.0.1, not for ")


@pytest.mark.parametrize("base", ["ftp://h", "h", "https://", "https://h?key=1", "https://h#x"])
def test_a_base_is_a_plain_web_address(base: str) -> None:
    with pytest.raises(ValidationError):
        HttpConnection.model_validate({"base_url": base})


@pytest.mark.parametrize("token", ["a\nb", "é"])
async def test_a_token_that_is_no_header_is_not_quoted(server: Server, token: str) -> None:
    error = await failure(HTTP, {"url": ""}, {"base_url": server.url, "token": "s3cret" + token})
    assert error.code == "validation"
    assert "s3cret" not in error.message


async def test_redirects_are_given_as_they_are_unless_they_are_to_be_followed(server: Server) -> None:
    server.answer("/old", redirect("/new"))
    assert (await run(HTTP, {"url": f"{server.url}/old"}))["status"] == 302
    output = await run(HTTP, {"url": f"{server.url}/old", "follow_redirects": True})
    assert (output["status"], output["url"]) == (404, f"{server.url}/new")


@pytest.mark.parametrize(("status", "method", "body"), [(303, "GET", b""), (307, "POST", b"{}")])
async def test_the_status_of_a_redirect_says_what_is_sent_on(
    server: Server, status: int, method: str, body: bytes
) -> None:
    server.answer("/old", redirect("/new", status))
    await run(HTTP, {"url": f"{server.url}/old", "method": "POST", "json": {}, "follow_redirects": True})
    assert (server.requests[1].method, server.requests[1].body) == (method, body)


async def test_credentials_follow_a_redirect_only_within_their_origin(server: Server) -> None:
    credentials = {"base_url": server.url, "token": "tok", "api_key": "key", "headers": {"X-Team": "a"}}
    with running() as other:
        server.answer("/a", Reply(302, headers={"location": "/b", "set-cookie": "session=1"}))
        server.answer("/b", redirect(f"{other.url}/c"))
        await run(HTTP, {"url": "/a", "follow_redirects": True}, credentials)
    kept, given = server.requests[1].headers, other.requests[0].headers
    assert (kept["authorization"], kept["x-api-key"], kept["x-team"]) == ("Bearer tok", "key", "a")
    assert set(given) == {"accept", "accept-encoding", "user-agent", "idempotency-key", "host"}
    assert given["host"] == other.url.removeprefix("http://")


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://169.254.169.254/latest/meta-data", "egress_denied"),
        ("http://[::1]/", "egress_denied"),
        ("http://0x7f.1.2.3.4.5/", "dns"),
        ("ftp://127.0.0.1/", "validation"),
        ("http://user:pw@127.0.0.1/", "validation"),
        ("http://127.0.0.1:99999/", "validation"),
    ],
)
async def test_redirects_are_guarded(server: Server, location: str, code: str) -> None:
    server.answer("/", redirect(location))
    assert (await failure(HTTP, {"url": server.url, "follow_redirects": True})).code == code


async def test_a_redirect_to_a_server_that_is_away_names_that_server(server: Server) -> None:
    server.answer("/", redirect("http://localhost:1/"))
    error = await failure(HTTP, {"url": server.url, "follow_redirects": True})
    assert (error.code, error.message.split(":")[0]) == ("connection", "localhost")


async def test_a_circle_of_redirects_ends(server: Server) -> None:
    server.answer("/", redirect("/"))
    error = await failure(HTTP, {"url": server.url, "follow_redirects": True})
    assert brief(error) == ("validation", "more than 10 redirects", False)


@pytest.mark.parametrize("certificate", ["no certificate", "-----BEGIN CERTIFICATE-----\nAAAA", "é"])
async def test_an_authority_that_is_none_is_refused(server: Server, certificate: str) -> None:
    error = await failure(HTTP, {"url": ""}, {"base_url": server.url, "ca_certificate": certificate})
    assert brief(error) == ("validation", "ca_certificate is not a certificate in PEM", False)


async def test_tls_trusts_the_authority_of_the_connection(tmp_path: Path) -> None:
    own = self_signed()
    with running(tls=own.context(tmp_path)) as server:
        server.answer("/", json_reply("secure"))
        output = await run(HTTP, {"url": ""}, {"base_url": server.url, "ca_certificate": own.certificate})
    assert output["body"] == "secure"


async def test_a_certificate_that_nobody_trusts_is_a_tls_error(tmp_path: Path) -> None:
    with running(tls=self_signed().context(tmp_path)) as server:
        error = await failure(HTTP, {"url": server.url})
    assert brief(error) == ("tls", "127.0.0.1: self-signed certificate", False)


@pytest.mark.parametrize(
    ("age", "host", "reason"),
    [
        (timedelta(days=30), "localhost", "certificate has expired"),
        (timedelta(), "other.example", "Hostname mismatch"),
    ],
)
async def test_an_expired_or_foreign_certificate_is_a_tls_error(
    tmp_path: Path, age: timedelta, host: str, reason: str
) -> None:
    own = self_signed(age, host)
    with running(tls=own.context(tmp_path)) as server:
        base = server.url.replace("127.0.0.1", "localhost")
        error = await failure(HTTP, {"url": ""}, {"base_url": base, "ca_certificate": own.certificate})
    assert (error.code, error.retryable) == ("tls", False)
    assert reason in error.message


async def test_a_server_without_tls_is_a_tls_error(server: Server) -> None:
    error = await failure(HTTP, {"url": server.url.replace("http:", "https:")})
    assert (error.code, error.retryable) == ("tls", True)
