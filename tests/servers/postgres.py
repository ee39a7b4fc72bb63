"""A private PostgreSQL 15 in a temporary folder."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from cronny.child import signal_group, start
from tests.servers.ports import free_port

ROOMY = ("max_connections=300",)
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")  # tests lose nothing they need


@dataclass(frozen=True)
class Account:
    """Who runs the server: PostgreSQL refuses to be root."""

    user: str | None
    group: str | None


def programs() -> Path:
    """The folder of PostgreSQL's programs; without one the tests fail, they don't pass over it."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if folders:
        return folders[-1]
    found = shutil.which("initdb")
    assert found, "no PostgreSQL: `make servers` installs it"
    return Path(found).resolve().parent


def account() -> Account:
    if os.getuid() != 0:
        return Account(None, None)
    return Account("postgres", "postgres") if _has_user("postgres") else Account("nobody", "nogroup")


def _has_user(name: str) -> bool:
    return any(line.startswith(f"{name}:") for line in Path("/etc/passwd").read_text().splitlines())


@dataclass(frozen=True)
class Server:
    """A server that can be started, and started again on the same data."""

    folder: Path
    port: int
    who: Account
    settings: Sequence[str]

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"


@contextmanager
def running(*, is_durable: bool = False) -> Iterator[str]:
    """The URL of a server's `postgres` database; the server and its folder are gone afterwards."""
    with prepared(is_durable=is_durable) as server, serving(server):
        yield server.url


@contextmanager
def prepared(*, is_durable: bool = False) -> Iterator[Server]:
    """A server that is not started yet; its folder is gone afterwards."""
    settings = ROOMY if is_durable else (*ROOMY, *QUICK)
    folder = Path(mkdtemp(prefix="cronny-postgres-"))
    who = account()
    try:
        if who.user:
            shutil.chown(folder, who.user, who.group)
        _initialise(folder / "data", who)
        yield Server(folder, free_port(), who, settings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(data: Path, who: Account) -> None:
    command = [programs() / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"]
    done = subprocess.run(
        [*map(str, command), "--locale=C"],
        check=False,
        capture_output=True,
        text=True,
        user=who.user,
        group=who.group,
        extra_groups=None if who.user is None else [],
        cwd=data.parent,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def serving(server: Server) -> Iterator["subprocess.Popen[str]"]:
    """The server's process, once it answers; afterwards it has ended as if it had crashed."""
    process = launch(server)
    try:
        _wait(server.port, server.folder / "log")
        yield process
    finally:
        signal_group(process.pid, signal.SIGQUIT)
        process.wait()


def launch(server: Server) -> "subprocess.Popen[str]":
    """Start the server, again on the same data, without waiting for it."""
    folder, who = server.folder, server.who
    options = [part for setting in server.settings for part in ("-c", setting)]
    command = [str(programs() / "postgres"), "-D", str(folder / "data"), "-p", str(server.port), *options]
    with (folder / "log").open("a") as log:
        return start(
            [*command, "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"],
            stdout=log,
            stderr=log,
            user=who.user,
            group=who.group,
            extra_groups=None if who.user is None else [],
            cwd=folder,
        )


def _wait(port: int, log: Path) -> None:
    ready = [str(programs() / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
    for _ in range(200):
        if subprocess.run(ready, check=False).returncode == 0:
            return
        time.sleep(0.05)
    raise AssertionError(f"PostgreSQL does not answer:\n{log.read_text()}")
