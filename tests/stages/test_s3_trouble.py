"""What keeps a stage from S3: TLS, the egress guard, busy servers, and answers that are rubbish."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from activities.stages.s3 import S3
from activities.stages.s3_bucket import S3Connection
from activities.stages.s3_xml import parsed
from cronny.egress import EgressPolicy
from tests.servers import http, s3
from tests.servers.http import Reply
from tests.servers.ports import free_port
from tests.stages.contexts import LOOPBACK, brief, details, failure, run

KEYS = {"access_key_id": "id", "secret_access_key": "s3cret", "bucket": "orders"}
GET = {"operation": "get", "key": "k"}
LIST = {"operation": "list"}


@pytest.fixture
def fake() -> Iterator[http.Server]:
    with http.running() as fake:
        yield fake


def error_of(code: str, status: int = 400, **headers: str) -> Reply:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>"
    return Reply(status, body.encode(), headers)


@pytest.mark.parametrize(
    ("reply", "code", "retryable", "wait"),
    [
        (error_of("SlowDown", 503), "rate_limited", True, 5),
        (error_of("SlowDown", 503, **{"retry-after": "9"}), "rate_limited", True, 9),
        (error_of("TooManyRequests", 429), "rate_limited", True, 5),
        (Reply(503), "rate_limited", True, 5),
        (error_of("InternalError", 500), "s3.internal_error", True, None),
        (error_of("RequestTimeout"), "s3.request_timeout", True, None),
        (error_of("ConditionalRequestConflict", 409), "s3.conditional_request_conflict", True, None),
        (error_of("ExpiredToken"), "auth", False, None),
        (error_of("InvalidObjectState", 403), "s3.invalid_object_state", False, None),
        (error_of("NoSuchKey", 404), "s3.no_such_key", False, None),
        (Reply(403), "auth", False, None),
        (Reply(404, b"<html>"), "s3.not_found", False, None),
        (Reply(418, b"\xff"), "s3.unexpected_answer", False, None),
        (error_of("<b>x</b>", 502), "s3.internal_error", True, None),
    ],
)
async def test_errors_are_typed(
    fake: http.Server, reply: Reply, code: str, retryable: bool, wait: int | None
) -> None:
    fake.answer("/orders/k", reply)
    error = await failure(S3, GET, {**KEYS, "endpoint": fake.url})
    assert (error.code, error.retryable) == (code, retryable)
    assert error.retry_after == (timedelta(seconds=wait) if wait else None)
    assert details(error)["status"] == reply.status


async def test_another_region_is_said_so(fake: http.Server) -> None:
    fake.answer("/orders/k", error_of("PermanentRedirect", 301, **{"x-amz-bucket-region": "eu-west-1"}))
    error = await failure(S3, GET, {**KEYS, "endpoint": fake.url})
    assert error.code == "s3.permanent_redirect"
    assert error.message.endswith("the bucket is in the region 'eu-west-1'")


@pytest.mark.parametrize(
    "body",
    [b"", b"<", b"text", b"<a>" * 50, b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", b"\xff\xfe", b"<a></b>"],
)
async def test_answers_that_are_rubbish_are_errors(fake: http.Server, body: bytes) -> None:
    fake.answer("/orders/", Reply(body=body))
    error = await failure(S3, LIST, {**KEYS, "endpoint": fake.url})
    assert (error.code, parsed(body)) == ("s3.unexpected_answer", None)


async def test_a_failure_behind_a_good_status_is_one(fake: http.Server) -> None:
    fake.answer("/orders/k", error_of("InternalError", 200))
    fields = {"operation": "copy", "key": "k", "from_key": "old"}
    error = await failure(S3, fields, {**KEYS, "endpoint": fake.url})
    assert (error.code, error.retryable) == ("s3.internal_error", True)


async def test_what_was_not_deleted_is_told(fake: http.Server) -> None:
    refused = "<Error><Key>a</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
    fake.answer("/orders/", Reply(body=f"<DeleteResult>{refused}</DeleteResult>".encode()))
    error = await failure(S3, {"operation": "delete", "keys": ["a", "b"]}, {**KEYS, "endpoint": fake.url})
    assert brief(error) == ("auth", "1 of 2 objects were not deleted; a: AccessDenied no", False)
    assert details(error)["refused"] == [{"key": "a", "error": "AccessDenied"}]


async def test_what_arrives_otherwise_than_it_was_kept_is_an_error(fake: http.Server) -> None:
    fake.answer("/orders/k", Reply(body=b"x", headers={"x-amz-checksum-crc32": "AAAAAA=="}))
    error = await failure(S3, {**GET, "checksum": "crc32"}, {**KEYS, "endpoint": fake.url})
    assert (error.code, error.retryable) == ("s3.checksum_mismatch", True)


async def test_encryption_is_asked_for(fake: http.Server) -> None:
    fake.answer("/orders/k", Reply(headers={"etag": '"e"'}))
    fields = {"operation": "put", "key": "k", "text": "x", "encryption": "aws:kms", "kms_key": "key-1"}
    await run(S3, fields, {**KEYS, "endpoint": fake.url})
    headers = fake.requests[0].headers
    assert headers["x-amz-server-side-encryption"] == "aws:kms"
    assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == "key-1"
    assert "x-amz-server-side-encryption;" in headers["authorization"]


async def test_a_session_token_is_sent_and_signed(fake: http.Server) -> None:
    fake.answer("/orders/k", Reply(body=b"x"))
    await run(S3, GET, {**KEYS, "endpoint": fake.url, "session_token": "t0ken"})
    headers = fake.requests[0].headers
    assert headers["x-amz-security-token"] == "t0ken"
    assert "x-amz-security-token" in headers["authorization"]


async def test_nothing_is_found_in_the_environment(
    fake: http.Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = evil\naws_secret_access_key = e\n")
    found = {
        "AWS_ACCESS_KEY_ID": "evil",
        "AWS_SECRET_ACCESS_KEY": "evil",
        "AWS_SESSION_TOKEN": "evil",
        "AWS_REGION": "evil",
        "AWS_DEFAULT_REGION": "evil",
        "AWS_ENDPOINT_URL": "http://127.0.0.9:1",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "HTTP_PROXY": "http://127.0.0.9:1",
        "HOME": str(tmp_path),
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    fake.answer("/orders/k", Reply(body=b"x"))
    await run(S3, GET, {**KEYS, "endpoint": fake.url})
    assert "evil" not in str(fake.requests[0].headers)
    assert "Credential=id/" in fake.requests[0].headers["authorization"]


@pytest.fixture(scope="module")
def secure() -> Iterator[s3.Server]:
    with s3.running("--virtual-domain", "s3.example.test", with_tls=True) as server:
        yield server


async def test_the_connection_is_encrypted(secure: s3.Server) -> None:
    there = {**secure.settings, "addressing": "virtual", "bucket": "orders"}
    error = await failure(S3, LIST, {**there, "endpoint": secure.endpoint, "addressing": "path"})
    assert error.code == "s3.no_such_bucket"
    error = await failure(S3, LIST, {**there, "addressing": "path", "ca_certificate": None})
    assert (error.code, error.retryable) == ("tls", False)


class ToLoopback(EgressPolicy):
    """Takes every name for one of loopback."""

    async def resolve(self, host: str, port: int) -> list[str]:
        return await super().resolve("127.0.0.1", port)


async def test_the_bucket_may_be_in_the_host() -> None:
    with s3.running("--virtual-domain", "s3.example.test") as server:
        there = {**server.settings, "bucket": "orders", "addressing": "virtual"}
        there["endpoint"] = f"http://s3.example.test:{server.port}"
        server.client().create_bucket(Bucket="orders")
        guard = ToLoopback(LOOPBACK.allow)
        await run(S3, {"operation": "put", "key": "a/ä", "text": "x"}, there, egress=guard)
        assert (await run(S3, {**GET, "key": "a/ä"}, there, egress=guard))["body"] == "x"
        signed = await run(S3, {"operation": "presign", "key": "k"}, there)
    assert signed["url"].startswith(f"http://orders.s3.example.test:{server.port}/k?")


async def test_amazons_address_is_the_one_of_the_region() -> None:
    fields = {"operation": "presign", "key": "k", "life": "1h"}
    signed = await run(S3, fields, {**KEYS, "region": "eu-west-1"})
    assert signed["url"].startswith("https://orders.s3.eu-west-1.amazonaws.com/k?X-Amz-Algorithm=")
    assert "X-Amz-Expires=3600" in signed["url"]
    assert "s3cret" not in signed["url"]


async def test_loopback_is_closed_unless_it_is_allowed(fake: http.Server) -> None:
    error = await failure(S3, LIST, {**KEYS, "endpoint": fake.url}, egress=EgressPolicy())
    assert (error.code, error.retryable, fake.requests) == ("egress_denied", False, [])


async def test_a_closed_port_is_a_connection_error() -> None:
    error = await failure(S3, LIST, {**KEYS, "endpoint": f"http://127.0.0.1:{free_port()}"})
    assert (error.code, error.retryable) == ("connection", True)


async def test_a_silent_server_is_left_at_the_time_limit(fake: http.Server) -> None:
    fake.answer("/orders/", Reply(is_silent=True))
    error = await failure(S3, LIST, {**KEYS, "endpoint": fake.url}, timeout=timedelta(milliseconds=200))
    assert (error.code, error.retryable) == ("timeout", True)


@pytest.mark.parametrize("secret", ["ä\r\nx: y", "s3cret"])
async def test_no_secret_is_in_an_error(fake: http.Server, secret: str) -> None:
    token = {"secret_access_key": secret, "session_token": f"token {secret}"}
    error = await failure(S3, LIST, {**KEYS, "endpoint": fake.url, **token})
    assert secret not in f"{error!r} {error.message} {error.details}"


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "ftp://x"},
        {"endpoint": "https://user:pw@example.com"},
        {"endpoint": "https://example.com/path"},
        {"bucket": "a/b"},
        {"region": "eu/west"},
        {"access_key_id": "a/b"},
        {"secret_access_key": None},
        {"profile": "default"},
    ],
)
def test_connections_that_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        S3Connection.model_validate({**KEYS, **change})
