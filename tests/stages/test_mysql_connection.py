import asyncio
import socket
from dataclasses import dataclass
from pathlib import Path

import pytest
from pymysql import _auth

from activities.stages.mysql import MYSQL
from activities.stages.mysql_login import _scramble_sha1, _scramble_sha256
from cronny.egress import EgressPolicy
from tests.servers.impostor import OK, greeting, impostor, switch
from tests.servers.mariadb import Server
from tests.servers.ports import free_port
from tests.stages.contexts import LOOPBACK, brief, failure, run
from tests.stages.test_postgres_connection import passing_on

SELECT = {
    "sql": "select current_user() as u, (select variable_value from "
    "information_schema.session_status where variable_name = 'ssl_cipher') <> '' as is_encrypted"
}
PASSWORD = "pass wörd ' \\"
NO_CERTIFICATE = "ca_certificate is not a certificate in PEM"


@pytest.fixture(scope="module")
def secured(mysql_server: Server) -> Server:
    """The server with the users `guarded`, who has a password, and `certified`, who needs a certificate."""
    mysql_server.execute(
        "create or replace user guarded identified by 'pass wörd '' \\\\'",
        "create or replace user certified require x509",
        "create or replace user few with max_user_connections 1",
        "grant all on stages.* to guarded, certified, few",
    )
    return mysql_server


def guarded(server: Server, **others: object) -> dict[str, object]:
    return server.settings(**{"user": "guarded", "password": PASSWORD, **others})


@pytest.mark.parametrize(
    ("tls", "is_encrypted"),
    [
        ({"tls": "disable"}, 0),
        ({"tls": "require"}, 1),
        ({"tls": "verify", "ca_certificate": "own"}, 1),
        ({"tls": "verify_ca", "ca_certificate": "own"}, 1),
        ({"host": "localhost", "tls": "verify", "ca_certificate": "own"}, 1),
        ({"tls": "verify", "ca_certificate": "own", "server_name": "localhost"}, 1),
    ],
)
async def test_the_connection_is_encrypted_as_asked(
    secured: Server, tls: dict[str, str], is_encrypted: int
) -> None:
    if "ca_certificate" in tls:
        tls = {**tls, "ca_certificate": secured.own.certificate}
    output = await run(MYSQL, SELECT, guarded(secured, **tls))
    assert output["rows"] == [{"u": "guarded@%", "is_encrypted": is_encrypted}]


async def test_the_client_shows_its_certificate(secured: Server) -> None:
    own = {"client_certificate": secured.own.certificate, "client_key": secured.own.key}
    output = await run(MYSQL, SELECT, secured.settings(user="certified", tls="require", **own))
    assert output["rows"][0]["u"] == "certified@%"
    error = await failure(MYSQL, SELECT, secured.settings(user="certified", tls="require"))
    assert (error.code, error.retryable) == ("auth", False)


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"password": "wrong"}, "auth", "Access denied for user 'guarded'@'127.0.0.1' (using password: YES)"),
        ({"password": ""}, "auth", None),
        ({"user": "nobody"}, "auth", None),
        ({"database": "nothing"}, "sql.insufficient_privilege", None),
        ({"user": "root", "password": "", "database": "no"}, "sql.invalid_catalog_name", None),
        ({"tls": "verify"}, "tls", "127.0.0.1: self-signed certificate"),
        ({"tls": "verify_ca"}, "tls", "127.0.0.1: self-signed certificate"),
        ({"tls": "verify", "ca_certificate": "own", "server_name": "other.example.com"}, "tls", None),
        ({"tls": "verify", "ca_certificate": "x"}, "validation", NO_CERTIFICATE),
        ({"tls": "verify", "ca_certificate": "é"}, "validation", NO_CERTIFICATE),
        ({"tls": "require", "client_certificate": "x", "client_key": "y"}, "validation",
         "client_key is not a private key in PEM, or its password is another one"),
        ({"host": "nobody.invalid"}, "dns", "nobody.invalid: the name has no address"),
        ({"host": "169.254.169.254"}, "egress_denied", None),
        ({"host": "/var/run/mysqld/mysqld.sock"}, "egress_denied", None),
        ({"host": ""}, "egress_denied", None),
    ],
)  # fmt: skip
async def test_what_keeps_a_stage_from_connecting(
    secured: Server, change: dict[str, str], code: str, message: str | None
) -> None:
    if change.get("ca_certificate") == "own":
        change = {**change, "ca_certificate": secured.own.certificate}
    error = await failure(MYSQL, SELECT, {**guarded(secured), **change})
    assert (error.code, error.retryable) == (code, code == "dns")
    assert message is None or error.message == message
    assert PASSWORD not in f"{error!r} {error.details}"


@pytest.mark.parametrize(
    "change", [{"user": "a\0b"}, {"database": "a\0b"}, {"client_key": "x"}, {"tls": "prefer"}]
)
def test_settings_that_are_refused(change: dict[str, str]) -> None:
    model = MYSQL.connection_model
    assert model is not None
    with pytest.raises(ValueError, match=next(iter(change))):
        model.model_validate({"host": "h", "database": "d", "user": "u", **change})


async def test_a_closed_port_is_a_connection_error(secured: Server) -> None:
    error = await failure(MYSQL, SELECT, {**guarded(secured), "port": free_port()})
    assert (error.code, error.retryable) == ("connection", True)


async def test_loopback_is_closed_unless_it_is_allowed(secured: Server) -> None:
    error = await failure(MYSQL, SELECT, guarded(secured), egress=EgressPolicy())
    assert (error.code, error.retryable) == ("egress_denied", False)


@dataclass(frozen=True)
class Several(EgressPolicy):
    """A name with an address at which nobody listens before the one of the server."""

    async def resolve(self, host: str, port: int) -> list[str]:
        return ["127.0.0.9", *await LOOPBACK.resolve("127.0.0.1", port)]


async def test_each_address_of_a_name_is_tried(secured: Server) -> None:
    settings = guarded(secured, host="localhost", tls="verify", ca_certificate=secured.own.certificate)
    output = await run(MYSQL, SELECT, settings, egress=Several())
    assert output["row_count"] == 1


async def test_a_server_that_is_full_is_worth_another_attempt(secured: Server) -> None:
    settings = secured.settings(user="few")
    running = asyncio.create_task(run(MYSQL, {"sql": "select sleep(600) as n"}, settings))
    busy = "select count(*) from information_schema.processlist where user = 'few' and info like '%sleep%'"
    while not (await asyncio.to_thread(secured.execute, busy))[0][0]:
        assert not running.done()
    error = await failure(MYSQL, SELECT, settings)
    await asyncio.to_thread(secured.execute, "kill user few")
    with pytest.raises(Exception, match=r"closed the connection|was killed"):
        await running
    assert (error.code, error.retryable) == ("sql.too_many_connections", True)


async def test_a_server_that_goes_away_is_a_connection_error(secured: Server) -> None:
    running = asyncio.create_task(failure(MYSQL, {"sql": "select sleep(601) as n"}, secured.settings()))
    find = "select id from information_schema.processlist where info like 'select sleep(601)%'"
    while not (found := await asyncio.to_thread(secured.execute, find)):
        assert not running.done()
    await asyncio.to_thread(secured.execute, f"kill {found[0][0]}")
    error = await running
    assert (error.code, error.retryable) == ("connection", True)


async def test_nothing_is_found_in_the_environment(
    secured: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".my.cnf").write_text(f"[client]\nuser=root\npassword='{PASSWORD}'\nhost=127.0.0.9\n")
    for name, value in {"HOME": str(tmp_path), "MYSQL_PWD": PASSWORD, "MYSQL_HOST": "127.0.0.9"}.items():
        monkeypatch.setenv(name, value)
    assert (await failure(MYSQL, SELECT, guarded(secured, password=""))).code == "auth"
    assert (await run(MYSQL, SELECT, guarded(secured)))["rows"][0]["u"] == "guarded@%"


def to(port: int, **others: object) -> dict[str, object]:
    settings = {"host": "127.0.0.1", "port": port, "database": "d", "user": "u", "password": "s3cret word"}
    return {**settings, "tls": "disable", **others}


async def test_without_tls_nothing_is_said() -> None:
    async with impostor(greeting(), OK) as (port, said):
        error = await failure(MYSQL, SELECT, to(port, tls="require"))
    assert brief(error) == ("tls", "127.0.0.1 offers no TLS; `tls: disable` goes without", True)
    assert said == []


@pytest.mark.parametrize(
    "answers",
    [
        (greeting(method="mysql_clear_password"), switch("mysql_clear_password")),
        (greeting(), switch("mysql_clear_password")),
        (greeting(), switch("sha256_password")),
        (greeting(), switch("mysql_old_password")),
        (greeting(), switch("dialog")),
        (greeting(), b"\xfe"),
        (greeting(method="caching_sha2_password"), b"\x01\x04"),
    ],
)
async def test_the_password_is_not_given_away(answers: tuple[bytes, ...]) -> None:
    async with impostor(*answers, OK) as (port, said):
        error = await failure(MYSQL, SELECT, to(port))
    assert (error.code, error.retryable) == ("auth", False)
    assert b"s3cret word" not in b"".join(said)


async def test_a_password_that_the_server_remembers_is_not_sent() -> None:
    hello, remembered = greeting(method="caching_sha2_password"), (b"\x01\x03", OK)
    async with impostor(hello, remembered, b"\xff\x28\x04#42000no") as (port, said):
        error = await failure(MYSQL, SELECT, to(port))
    assert (error.code, len(said)) == ("sql.syntax_error", 2)


@pytest.mark.parametrize("password", [b"", b"secret", "wörd".encode()])
def test_passwords_are_scrambled_as_elsewhere(password: bytes) -> None:
    salt = bytes(range(1, 21))
    assert _scramble_sha1(password, salt) == _auth.scramble_native_password(password, salt)
    assert _scramble_sha256(password, salt) == _auth.scramble_caching_sha2(password, salt)


async def test_no_file_is_given_to_a_server_that_asks_for_one() -> None:
    async with impostor(greeting(), OK, b"\xfb/etc/passwd", OK) as (port, said):
        error = await failure(MYSQL, SELECT, to(port))
    assert brief(error) == ("connection", "the server asks for a file, which no stage gives", False)
    assert len(said) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x01\x00\x00\x00\x0a",
        b"\xff\xff\xff\x00" + bytes(100),
        b"\x00\x00\x00\x00",
        b"\x05\x00\x00\x07abcde",
    ],
)
async def test_a_server_that_is_no_mysql_is_an_error(raw: bytes) -> None:
    async with impostor(raw, is_raw=True) as (port, _):
        error = await failure(MYSQL, SELECT, to(port))
    assert brief(error) == ("connection", "127.0.0.1 does not speak MySQL's protocol", True)


async def test_a_server_may_refuse_before_it_greets() -> None:
    async with impostor(b"\xff\x10\x04Too many connections") as (port, _):
        error = await failure(MYSQL, SELECT, to(port))
    assert brief(error) == ("sql.too_many_connections", "Too many connections", True)


async def test_a_silent_server_is_left_at_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        await asyncio.wait_for(run(MYSQL, SELECT, to(silent.getsockname()[1])), 0.2)


async def test_a_certificate_for_another_name_is_refused(secured: Server) -> None:
    own = {"host": "127.0.0.2", "ca_certificate": secured.own.certificate}
    async with passing_on(f"x:{secured.port}/", "127.0.0.2") as port:
        error = await failure(MYSQL, SELECT, guarded(secured, tls="verify", **own | {"port": port}))
        output = await run(MYSQL, SELECT, guarded(secured, tls="verify_ca", **own | {"port": port}))
    assert (error.code, error.retryable, output["row_count"]) == ("tls", False, 1)
