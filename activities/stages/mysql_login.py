"""How a stage logs in to a MySQL or MariaDB server without giving the password away."""

import hashlib
import ssl
import struct
from dataclasses import dataclass
from enum import IntFlag

from activities.stages.kind import StageError
from activities.stages.mysql_errors import Garbled
from activities.stages.mysql_wire import Reader, Wire, counted
from activities.stages.sql_connection import SqlConnection, no_tls

UTF8 = 45  # the collation utf8mb4_general_ci, which every server knows.
LARGEST_PACKET = 1 << 30
VERSION_LIMIT = 40  # characters


class Can(IntFlag):
    """What client and server can do; a client asks only for what both can."""

    IS_MYSQL = 1  #: Not set by MariaDB, whose own capabilities then follow.
    FOUND_ROWS = 1 << 1  #: Rows that an update finds count, as they do elsewhere, not only those it changes.
    CONNECT_WITH_DB = 1 << 3
    PROTOCOL_41 = 1 << 9
    TLS = 1 << 11
    TRANSACTIONS = 1 << 13
    SECURE_CONNECTION = 1 << 15
    MULTI_RESULTS = 1 << 17
    PS_MULTI_RESULTS = 1 << 18  #: Procedures called by a prepared statement give results.
    PLUGIN_AUTH = 1 << 19
    CONNECT_ATTRS = 1 << 20
    COUNTED_AUTH = 1 << 21


# Neither LOCAL_FILES nor MULTI_STATEMENTS: no server may ask for a file, no text holds two statements.
WANTED = (
    Can.FOUND_ROWS
    | Can.CONNECT_WITH_DB
    | Can.PROTOCOL_41
    | Can.TRANSACTIONS
    | Can.SECURE_CONNECTION
    | Can.MULTI_RESULTS
    | Can.PS_MULTI_RESULTS
    | Can.PLUGIN_AUTH
    | Can.CONNECT_ATTRS
    | Can.COUNTED_AUTH
)
NEEDED = Can.PROTOCOL_41 | Can.SECURE_CONNECTION | Can.PLUGIN_AUTH | Can.COUNTED_AUTH
EXTENDED_TYPES = 1 << 3  # one of MariaDB's own: columns say that they hold JSON.


@dataclass(frozen=True)
class Greeting:
    """What the server says first."""

    version: str
    thread: int  #: The number by which a query of this connection is stopped.
    salt: bytes
    can: Can
    has_extended_types: bool
    method: str

    @property
    def is_mariadb(self) -> bool:
        """Whether it is MariaDB, which has another variable for the time limit."""
        return "mariadb" in self.version.lower()

    @property
    def number(self) -> str:
        """The number of the version; MariaDB has an old one of MySQL before it, for old clients."""
        return self.version.removeprefix("5.5.5-").partition("-")[0][:VERSION_LIMIT]


async def log_in(wire: Wire, settings: SqlConnection, tls: ssl.SSLContext | None) -> Greeting:
    """The greeting of a server that let us in; raises StageError, and `Refusal` if it did not."""
    greeting = _read_greeting(await wire.packet())
    head = _head(greeting, tls is not None)
    if tls is not None:
        if Can.TLS not in greeting.can:
            raise no_tls(settings.host)
        await wire.send(head)
        await wire.encrypt(tls, settings.tls_name)
    await wire.send(head + _body(greeting, settings))
    await _prove(wire, settings, greeting.salt)
    return greeting


def _read_greeting(packet: bytes) -> Greeting:
    fields = Reader(packet)
    if fields.whole(1) != 10:
        raise Garbled
    version = fields.until_zero().decode(errors="replace")
    thread, salt = fields.whole(4), fields.take(8)
    fields.take(1)
    low = fields.whole(2)
    fields.take(3)  # its collation and status
    can = Can(low | fields.whole(2) << 16)
    length = fields.whole(1)
    fields.take(6)
    extended = fields.whole(4)
    if can & NEEDED != NEEDED:
        raise Garbled
    salt += fields.take(max(13, length - 8))
    return Greeting(
        version=version,
        thread=thread,
        salt=salt[:20],
        can=can,
        has_extended_types=Can.IS_MYSQL not in can and bool(extended & EXTENDED_TYPES),
        method=fields.until_zero().decode(errors="replace"),
    )


def _head(greeting: Greeting, is_encrypted: bool) -> bytes:
    flags = WANTED & greeting.can | (Can.TLS if is_encrypted else 0) | greeting.can & Can.IS_MYSQL
    extended = EXTENDED_TYPES if greeting.has_extended_types else 0
    return struct.pack("<IIB19xI", flags, LARGEST_PACKET, UTF8, extended)


def _body(greeting: Greeting, settings: SqlConnection) -> bytes:
    # A method that would send the password as it is must be asked for again, when it is known who asks.
    method = greeting.method if greeting.method in _SCRAMBLES else "mysql_native_password"
    scramble = _SCRAMBLES[method](_password(settings), greeting.salt)
    database = settings.database.encode() + b"\0" if Can.CONNECT_WITH_DB in greeting.can else b""
    attributes = counted(counted(b"program_name") + counted(b"cronny"))
    return (
        settings.user.encode()
        + b"\0"
        + counted(scramble)
        + database
        + method.encode()
        + b"\0"
        + (attributes if Can.CONNECT_ATTRS in greeting.can else b"")
    )


async def _prove(wire: Wire, settings: SqlConnection, salt: bytes) -> None:
    while True:
        packet = await wire.packet()
        match packet[0], packet[1:2]:
            case 0x00, _:
                return
            case 0xFE, _:
                fields = Reader(packet, 1)
                method = fields.until_zero().decode(errors="replace")
                salt = packet[fields.position :].rstrip(b"\0")[:20] if method else b""
                await wire.send(_answer(method, salt, settings))
            case 0x01, b"\x03":  # caching_sha2_password knows the password; the decision follows.
                continue
            case 0x01, b"\x04":
                await wire.send(_plain(settings, "caching_sha2_password", settings.tls != "disable"))
            case _:
                raise Garbled


def _answer(method: str, salt: bytes, settings: SqlConnection) -> bytes:
    if method in _SCRAMBLES:
        return _SCRAMBLES[method](_password(settings), salt)
    if method == "sha256_password":
        return _plain(settings, method, settings.tls != "disable")
    if method == "mysql_clear_password":  # of PAM, LDAP and the tokens of clouds
        return _plain(settings, method, settings.tls in ("verify", "verify_ca"))
    name = method[:60] or "mysql_old_password"
    message = f"the user logs in by {name}, which a stage cannot; let it log in by caching_sha2_password"
    raise StageError("auth", message, retryable=False)


def _plain(settings: SqlConnection, method: str, is_safe: bool) -> bytes:
    if not is_safe:
        message = f"{method} sends the password as it is, which needs `tls: verify`, not `{settings.tls}`"
        raise StageError("auth", message, retryable=False)
    return _password(settings) + b"\0"


def _password(settings: SqlConnection) -> bytes:
    return settings.password.get_secret_value().encode()


def _scramble_sha1(password: bytes, salt: bytes) -> bytes:
    if not password:
        return b""
    once = hashlib.sha1(password, usedforsecurity=False).digest()
    twice = hashlib.sha1(once, usedforsecurity=False).digest()
    return _xor(once, hashlib.sha1(salt + twice, usedforsecurity=False).digest())


def _scramble_sha256(password: bytes, salt: bytes) -> bytes:
    if not password:
        return b""
    once = hashlib.sha256(password).digest()
    twice = hashlib.sha256(once).digest()
    return _xor(once, hashlib.sha256(twice + salt).digest())


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))


_SCRAMBLES = {"mysql_native_password": _scramble_sha1, "caching_sha2_password": _scramble_sha256}
