import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from activities.stages.postgres import POSTGRES
from cronny.egress import EgressPolicy
from tests.servers import http, postgres
from tests.servers.certificates import self_signed
from tests.servers.http import Reply
from tests.servers.ports import free_port
from tests.stages.contexts import brief, failure, run
from tests.stages.databases import settings_of

SELECT = {"sql": "select current_user as u, ssl from pg_stat_ssl where pid = pg_backend_pid()"}
OWN = self_signed()
CERTIFIED = self_signed(host="certified")
HBA = """\
hostssl all certified 127.0.0.1/32 cert
host all guarded 127.0.0.1/32 scram-sha-256
host all barred 127.0.0.1/32 reject
"""


@pytest.fixture(scope="module")
def secured() -> Iterator[str]:
    """The URL of a server with TLS, the role `guarded` with a password, and the role `barred`."""
    with postgres.running() as url:
        asyncio.run(_secure(url))
        yield url


async def _secure(url: str) -> None:
    connection = await asyncpg.connect(url)
    _write_files(Path(await connection.fetchval("show hba_file")))
    for statement in (
        "create role guarded login password 'pass word'",
        "create role barred login",
        "create role certified login",
        "alter system set ssl_ca_file = 'ca.crt'",
        "alter system set ssl = on",
        "select pg_reload_conf()",
    ):
        await connection.execute(statement)
    while not await connection.fetchval("select setting::bool from pg_settings where name = 'ssl'"):
        await connection.close()
        connection = await asyncpg.connect(url)
    await connection.close()


def _write_files(hba: Path) -> None:
    hba.write_text(HBA + hba.read_text())
    (hba.parent / "server.crt").write_text(OWN.certificate)
    (hba.parent / "ca.crt").write_text(CERTIFIED.certificate)
    key = hba.parent / "server.key"
    key.touch(0o600)
    key.write_text(OWN.key)
    os.chown(key, hba.stat().st_uid, hba.stat().st_gid)


def guarded(url: str, **others: object) -> dict[str, object]:
    return {**settings_of(url), "user": "guarded", "password": "pass word", **others}


@pytest.mark.parametrize(
    ("tls", "is_encrypted"),
    [
        ({"tls": "disable"}, False),
        ({"tls": "require"}, True),
        ({"tls": "verify", "ca_certificate": OWN.certificate}, True),
        ({"host": "localhost", "ca_certificate": OWN.certificate}, True),
        ({"server_name": "localhost", "ca_certificate": OWN.certificate}, True),
        ({"tls": "verify_ca", "ca_certificate": OWN.certificate}, True),
    ],
)
async def test_the_connection_is_encrypted_as_asked(
    secured: str, tls: dict[str, str], is_encrypted: bool
) -> None:
    connection = {**guarded(secured), **({"tls": "verify"} | tls)}
    output = await run(POSTGRES, SELECT, connection)
    assert output["rows"] == [{"u": "guarded", "ssl": is_encrypted}]


async def test_the_client_shows_its_certificate(secured: str) -> None:
    own = {"client_certificate": CERTIFIED.certificate, "client_key": CERTIFIED.key}
    connection = {**settings_of(secured), "user": "certified", "tls": "require"}
    assert (await run(POSTGRES, SELECT, {**connection, **own}))["rows"] == [{"u": "certified", "ssl": True}]
    assert (await failure(POSTGRES, SELECT, connection)).code == "auth"


@dataclass(frozen=True)
class Several(EgressPolicy):
    """A name with an address at which nobody listens before the one of the server."""

    async def resolve(self, host: str, port: int) -> list[str]:
        return ["127.0.0.9", "127.0.0.1"]


async def test_each_address_of_a_name_is_tried(secured: str) -> None:
    settings = guarded(secured, host="localhost", tls="verify", ca_certificate=OWN.certificate)
    assert (await run(POSTGRES, SELECT, settings, egress=Several()))["row_count"] == 1


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"password": "wrong"}, "auth", 'password authentication failed for user "guarded"'),
        ({"password": ""}, "auth", None),
        ({"user": "nobody"}, "auth", 'role "nobody" does not exist'),
        ({"user": "barred"}, "auth", None),
        ({"database": "nothing"}, "sql.invalid_catalog_name", 'database "nothing" does not exist'),
        ({"tls": "verify"}, "tls", "127.0.0.1: self-signed certificate"),
        ({"tls": "verify_ca"}, "tls", "127.0.0.1: self-signed certificate"),
        ({"tls": "require", "client_certificate": "x", "client_key": "y"}, "validation", None),
        (
            {"tls": "verify", "ca_certificate": "x"},
            "validation",
            "ca_certificate is not a certificate in PEM",
        ),
        (
            {"tls": "verify", "ca_certificate": "é"},
            "validation",
            "ca_certificate is not a certificate in PEM",
        ),
        ({"host": "nobody.invalid"}, "dns", "nobody.invalid: the name has no address"),
        ({"host": "169.254.169.254"}, "egress_denied", None),
        ({"host": "/var/run/postgresql"}, "egress_denied", None),
        ({"host": "127.0.0.1,10.0.0.1"}, "dns", None),
        ({"host": ""}, "egress_denied", None),
    ],
)
async def test_what_keeps_a_stage_from_connecting(
    secured: str, change: dict[str, str], code: str, message: str | None
) -> None:
    error = await failure(POSTGRES, SELECT, {**guarded(secured), **change})
    assert (error.code, error.retryable) == (code, code == "dns")
    assert message is None or error.message == message
    assert "pass word" not in f"{error!r} {error.details}"


async def test_a_certificate_for_another_name_is_refused(secured: str) -> None:
    other = {"tls": "verify", "host": "127.0.0.2", "ca_certificate": OWN.certificate}
    async with passing_on(secured, "127.0.0.2") as port:
        error = await failure(POSTGRES, SELECT, guarded(secured, **other, port=port))
        output = await run(POSTGRES, SELECT, guarded(secured, **other | {"tls": "verify_ca"}, port=port))
    assert (error.code, error.retryable, output["row_count"]) == ("tls", False, 1)
    assert "127.0.0.2" in error.message


async def test_a_server_without_tls_is_said_so(postgres_url: str) -> None:
    error = await failure(POSTGRES, SELECT, {**settings_of(postgres_url), "tls": "require"})
    assert brief(error) == ("tls", "127.0.0.1 offers no TLS; `tls: disable` goes without", True)


async def test_a_closed_port_is_a_connection_error(postgres_url: str) -> None:
    error = await failure(POSTGRES, SELECT, {**settings_of(postgres_url), "port": free_port()})
    assert (error.code, error.retryable) == ("connection", True)


async def test_loopback_is_closed_unless_it_is_allowed(postgres_url: str) -> None:
    error = await failure(POSTGRES, SELECT, settings_of(postgres_url), egress=EgressPolicy())
    assert (error.code, error.retryable) == ("egress_denied", False)


@pytest.mark.parametrize(("tls", "code"), [("require", "tls"), ("disable", "connection")])
async def test_a_server_that_is_no_postgresql_is_an_error(postgres_url: str, tls: str, code: str) -> None:
    with http.running() as server:
        connection = {**settings_of(postgres_url), "port": server.port, "tls": tls}
        error = await failure(POSTGRES, SELECT, connection)
    assert (error.code, error.retryable) == (code, True)


@pytest.mark.parametrize("tls", ["disable", "require"])
async def test_no_message_of_any_size_is_held(postgres_url: str, tmp_path: Path, tls: str) -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        if tls == "require":
            await reader.readexactly(8)
            writer.write(b"S")
            await writer.start_tls(OWN.context(tmp_path))
        writer.write(b"E\x7f\xff\xff\xff")
        with suppress(ConnectionError):
            while sent < 100_000_000:
                writer.write(b"x" * 100_000)
                await writer.drain()
                sent += 100_000
        writer.close()

    async with await asyncio.start_server(flood, "127.0.0.1", 0) as server:
        connection = {**settings_of(postgres_url), "port": server.sockets[0].getsockname()[1], "tls": tls}
        error = await failure(POSTGRES, SELECT, connection)
    assert (error.code, sent < 100_000_000) == ("connection", True)


async def test_a_silent_server_is_left_at_the_time_limit(postgres_url: str) -> None:
    with http.running(lambda _: Reply(is_silent=True)) as server:
        async with passing_on(server.url, "127.0.0.1", is_deaf=True) as port:
            connection = {**settings_of(postgres_url), "port": port}
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(run(POSTGRES, SELECT, connection), 0.2)


async def test_a_server_that_goes_away_is_a_connection_error(fresh_postgres: str) -> None:
    admin = await asyncpg.connect(fresh_postgres)
    running = asyncio.create_task(
        failure(POSTGRES, {"sql": "select pg_sleep(600)"}, settings_of(fresh_postgres))
    )
    end = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'"
    while not await admin.fetch(end):
        assert not running.done()
    await admin.close()
    error = await running
    assert (error.code, error.retryable) in {("connection", True), ("sql.admin_shutdown", True)}


async def test_a_database_that_is_full_is_worth_another_attempt(fresh_postgres: str) -> None:
    admin = await asyncpg.connect(fresh_postgres)
    await admin.execute("create role few login connection limit 0")
    error = await failure(POSTGRES, SELECT, {**settings_of(fresh_postgres), "user": "few"})
    await admin.execute("drop role few")
    await admin.close()
    assert (error.code, error.retryable) == ("sql.too_many_connections", True)


async def test_nothing_is_found_in_the_environment(
    secured: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".pgpass").write_text("*:*:*:guarded:pass word\n")
    (tmp_path / ".pgpass").chmod(0o600)
    (tmp_path / ".pg_service.conf").write_text("[there]\nuser=postgres\nhost=127.0.0.9\n")
    found = {
        "HOME": str(tmp_path),
        "PGPASSFILE": str(tmp_path / ".pgpass"),
        "PGSERVICEFILE": str(tmp_path / ".pg_service.conf"),
        "PGSERVICE": "there",
        "PGPASSWORD": "pass word",
        "PGUSER": "postgres",
        "PGHOST": "127.0.0.9",
        "PGPORT": "1",
        "PGDATABASE": "template1",
        "PGSSLMODE": "verify-full",
        "PGTARGETSESSIONATTRS": "standby",
        "PGOPTIONS": "-c search_path=evil",
        "PGAPPNAME": "evil",
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    assert (await failure(POSTGRES, SELECT, guarded(secured, password=""))).code == "auth"
    names = "select current_user || current_database() || current_setting('search_path') as v"
    output = await run(POSTGRES, {"sql": names}, guarded(secured, tls="disable"))
    assert output["rows"] == [{"v": 'guardedpostgres"$user", public'}]


@asynccontextmanager
async def passing_on(url: str, address: str, *, is_deaf: bool = False) -> AsyncIterator[int]:
    """The port on another address of loopback that leads to a server, or nowhere."""
    target = int(url.rpartition(":")[2].partition("/")[0])

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if is_deaf:
            await reader.read()
        else:
            there = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))
        writer.close()

    async with await asyncio.start_server(serve, address, 0) as server:
        yield server.sockets[0].getsockname()[1]
