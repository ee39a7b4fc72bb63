"""A private MariaDB in a temporary folder, with TLS for those who ask for it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pymysql

from cronny.child import signal_group, start
from tests.servers.certificates import Certificate, self_signed
from tests.servers.ports import free_port

SMALL = (
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--innodb-flush-log-at-trx-commit=0",  # tests lose nothing they need
    "--performance-schema=off",
    "--character-set-server=utf8mb4",
)


@dataclass(frozen=True)
class Server:
    """A server whose `root` needs no password, and whose authority is its own certificate."""

    port: int
    own: Certificate

    def settings(self, **others: object) -> dict[str, object]:
        """What a stage's connection to it needs."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "database": "stages",
            "user": "root",
            "tls": "disable",
            **others,
        }

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """The rows of the last of the statements, which another client executes."""
        client = pymysql.connect(host="127.0.0.1", port=self.port, user="root", autocommit=True)
        with client, client.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    assert found, f"no {name}: `make servers` installs MariaDB"
    return found


def _account() -> dict[str, Any]:
    """Who runs it: it refuses to be root; if it changed its user by itself, it would outlive killed tests."""
    if os.getuid() != 0:
        return {}
    names = {line.partition(":")[0] for line in Path("/etc/passwd").read_text().splitlines()}
    user, group = ("mysql", "mysql") if "mysql" in names else ("nobody", "nogroup")
    return {"user": user, "group": group, "extra_groups": []}


@contextmanager
def running() -> Iterator[Server]:
    """A server that answers, with the empty database `stages`; it and its folder are gone afterwards."""
    folder = Path(mkdtemp(prefix="cronny-mariadb-"))
    server = Server(free_port(), self_signed())
    try:
        _initialise(folder)
        with (folder / "log").open("w") as log:
            process = start(_command(folder, server), stdout=log, stderr=log, cwd=folder, **_account())
        try:
            _wait(server, process, folder / "log")
            yield server
        finally:
            signal_group(process.pid, signal.SIGKILL)
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(folder: Path) -> None:
    if who := _account():
        shutil.chown(folder, who["user"], who["group"])
    command = [_program("mariadb-install-db"), "--no-defaults", f"--datadir={folder / 'data'}"]
    options = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
    done = subprocess.run(
        [*command, *options], check=False, capture_output=True, text=True, cwd=folder, **_account()
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _command(folder: Path, server: Server) -> list[str]:
    certificate, key = folder / "server.crt", folder / "server.key"
    certificate.write_text(server.own.certificate)
    key.write_text(server.own.key)
    tls = [f"--ssl-cert={certificate}", f"--ssl-key={key}", f"--ssl-ca={certificate}"]
    places = [f"--datadir={folder / 'data'}", f"--socket={folder / 'data' / 's'}", f"--port={server.port}"]
    network = ["--bind-address=127.0.0.1", "--skip-name-resolve", f"--pid-file={folder / 'data' / 'pid'}"]
    return [_program("mariadbd"), "--no-defaults", *places, *network, *tls, *SMALL]


def _wait(server: Server, process: "subprocess.Popen[str]", log: Path) -> None:
    for _ in range(600):
        try:
            server.execute("create database stages")
            return
        except pymysql.err.OperationalError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise AssertionError(f"MariaDB does not answer:\n{log.read_text()}")
