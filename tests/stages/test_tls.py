import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from activities.stages.http import HTTP
from activities.stages.http_connection import HttpConnection
from activities.stages.tls import Tls, tls_context
from tests.servers.certificates import Certificate, self_signed
from tests.servers.http import json_reply, redirect, running
from tests.stages.contexts import brief, failure, run

OWN = self_signed()
CLIENT = self_signed(host="client.example")
SHOWN = {"client_certificate": CLIENT.certificate, "client_key": CLIENT.key}


def trusting(url: str, **more: object) -> dict[str, object]:
    return {"base_url": url, "ca_certificate": OWN.certificate, **more}


@pytest.mark.parametrize(
    "shown",
    [
        SHOWN,
        {**SHOWN, "client_key": CLIENT.locked_key(b"pass"), "client_key_password": "pass"},
        {**SHOWN, "client_certificate": CLIENT.certificate + OWN.certificate},
    ],
    ids=["plain", "locked", "chain"],
)
async def test_a_certificate_is_shown_to_a_server_that_asks(tmp_path: Path, shown: dict[str, str]) -> None:
    with running(tls=OWN.asking(tmp_path, CLIENT, ssl.CERT_REQUIRED)) as server:
        assert (await run(HTTP, {"url": "/"}, trusting(server.url, **shown)))["status"] == 404
    assert server.requests[0].has_certificate


async def test_a_server_that_asks_refuses_who_shows_none(tmp_path: Path) -> None:
    with running(tls=OWN.asking(tmp_path, CLIENT, ssl.CERT_REQUIRED)) as server:
        error = await failure(HTTP, {"url": "/"}, trusting(server.url))
    # TLS 1.3 refuses only after the handshake, when a client already waits for an answer.
    assert (error.code in {"tls", "connection"}, server.requests) == (True, [])


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_a_certificate_is_shown_to_no_other_origin(tmp_path: Path, name: str) -> None:
    tls = OWN.asking(tmp_path, CLIENT, ssl.CERT_OPTIONAL)
    with running(tls=tls) as server, running(tls=tls) as other:
        server.answer("/a", redirect(other.url.replace("127.0.0.1", name) + "/b"))
        other.answer("/b", redirect(f"{server.url}/c"))
        fields = {"url": "/a", "follow_redirects": True}
        await run(HTTP, fields, trusting(server.url, token="tok", **SHOWN))
    seen = [(one.has_certificate, "authorization" in one.headers) for one in server.requests]
    assert seen == [(True, True), (False, False)]
    assert [(one.has_certificate, one.headers.get("authorization")) for one in other.requests] == [
        (False, None)
    ]


LOCKED = CLIENT.locked_key(b"pass")


@pytest.mark.parametrize(
    ("certificate", "key", "password"),
    [
        (CLIENT.certificate, "s3cret", None),
        (CLIENT.certificate, LOCKED, None),
        (CLIENT.certificate, LOCKED, "wrong"),
        (CLIENT.certificate, CLIENT.key, "needless"),
        (CLIENT.certificate, OWN.key, None),
        ("no certificate", CLIENT.key, None),
        ("é", CLIENT.key, None),
        (CLIENT.certificate, "é", None),
    ],
)
async def test_a_certificate_that_cannot_be_shown_is_refused(
    certificate: str, key: str, password: str | None
) -> None:
    connection = {
        "base_url": "https://127.0.0.1:1", "client_certificate": certificate,
        "client_key": key, "client_key_password": password,
    }  # fmt: skip
    error = await failure(HTTP, {"url": "/"}, connection)
    assert (error.code, error.retryable) == ("validation", False)
    assert error.message.startswith("client_")
    assert "s3cret" not in f"{error!r} {error.__cause__!r} {error.__context__!r}"


@pytest.mark.parametrize(("least", "code"), [("1.2", None), ("1.3", "tls")])
async def test_an_older_tls_is_refused(tmp_path: Path, least: str, code: str | None) -> None:
    old = OWN.context(tmp_path)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with running(tls=old) as server:
        connection = trusting(server.url, tls_minimum=least)
        if code:
            assert (await failure(HTTP, {"url": "/"}, connection)).code == code
        else:
            assert (await run(HTTP, {"url": "/"}, connection))["status"] == 404


@pytest.mark.parametrize(
    "tls", [Tls(minimum="1.3"), Tls(authority=OWN.certificate), Tls(minimum="1.3", authority=OWN.certificate)]
)
@pytest.mark.parametrize("is_public", [False, True])
def test_every_context_verifies(tls: Tls, is_public: bool) -> None:
    context = tls_context(tls, is_public=is_public)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    is_only_own = tls.authority is not None and not is_public
    assert (len(context.get_ca_certs()) == 1) == is_only_own


async def test_a_certificate_is_trusted_as_its_own_authority(tmp_path: Path) -> None:
    leaf = self_signed(is_authority=False)
    with running(tls=leaf.context(tmp_path)) as server:
        server.answer("/", json_reply("secure"))
        connection = trusting(server.url, ca_certificate=leaf.certificate)
        assert (await run(HTTP, {"url": "/"}, connection))["body"] == "secure"


@pytest.fixture
def named() -> Certificate:
    return self_signed(host="orders.internal")


async def test_the_name_of_the_certificate_may_be_another(tmp_path: Path, named: Certificate) -> None:
    with running(tls=named.context(tmp_path)) as server:
        base = server.url.replace("127.0.0.1", "localhost")
        connection = trusting(base, ca_certificate=named.certificate)
        error = await failure(HTTP, {"url": "/"}, connection)
        assert (error.code, "Hostname mismatch" in error.message) == ("tls", True)
        output = await run(HTTP, {"url": "/"}, {**connection, "tls_server_name": "orders.internal"})
    assert output["status"] == 404


async def test_another_origin_is_verified_under_its_own_name(tmp_path: Path, named: Certificate) -> None:
    with running(tls=named.context(tmp_path)) as server, running(tls=named.context(tmp_path)) as other:
        server.answer("/", redirect(other.url.replace("127.0.0.1", "localhost")))
        names = {"ca_certificate": named.certificate, "tls_server_name": "orders.internal"}
        base = server.url.replace("127.0.0.1", "localhost")
        error = await failure(HTTP, {"url": "/", "follow_redirects": True}, trusting(base, **names))
    assert (error.code, "Hostname mismatch" in error.message) == ("tls", True)


async def test_tls_that_is_refused_by_the_certificate_says_so_once(tmp_path: Path) -> None:
    with running(tls=self_signed().context(tmp_path)) as server:
        error = await failure(HTTP, {"url": "/"}, trusting(server.url))
    assert brief(error) == ("tls", "127.0.0.1: self-signed certificate", False)


@pytest.mark.parametrize(
    "fields",
    [
        {"client_certificate": CLIENT.certificate},
        {"client_key": CLIENT.key},
        {"client_certificate": CLIENT.certificate + CLIENT.key, "client_key": CLIENT.key},
        {"ca_certificate": OWN.certificate + OWN.key},
        {"tls_minimum": "1.1"},
        {"verify": False},
        {"oauth_token_url": "https://example.com/token"},
        {"oauth_client_id": "a", "oauth_client_secret": "b"},
        {"oauth_token_url": "example.com", "oauth_client_id": "a", "oauth_client_secret": "b"},
        {"token": "a", "username": "b"},
        {
            "token": "a",
            "oauth_token_url": "https://e.com",
            "oauth_client_id": "a",
            "oauth_client_secret": "b",
        },
    ],
    ids="+".join,
)
def test_connections_that_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as caught:
        HttpConnection.model_validate({"base_url": "https://api.example.com", **fields})
    assert "PRIVATE KEY" not in str(caught.value.errors(include_input=False, include_context=False))


def test_a_version_of_tls_may_be_a_number() -> None:
    connection = HttpConnection.model_validate({"base_url": "https://api.example.com", "tls_minimum": 1.3})
    assert connection.tls_minimum == "1.3"


def test_nothing_of_a_client_key_stays_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fresh = self_signed()  # or the context would be one that was made before
    tls_context(Tls(certificate=fresh.certificate, key=SecretStr(fresh.key)))
    assert list(tmp_path.iterdir()) == []
