"""A private Redis in a temporary folder, in the clear and with TLS, with users of its own."""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cronny.child import signal_group, start
from tests.servers.certificates import Certificate, self_signed
from tests.servers.ports import free_port

PASSWORD = "pass word"
USERS = (
    f'user default on ">{PASSWORD}" ~* &* +@all',
    f'user reader on ">{PASSWORD}" resetchannels ~seen:* +@read',
)


@dataclass(frozen=True)
class Server:
    """A server that answers, and what its stages need to know."""

    port: int
    tls_port: int
    certificate: Certificate

    @property
    def settings(self) -> dict[str, object]:
        """A connection in the clear."""
        return {"host": "127.0.0.1", "port": self.port, "password": PASSWORD, "tls": "disable"}

    @property
    def secure(self) -> dict[str, object]:
        """A connection with TLS."""
        own = {"port": self.tls_port, "tls": "verify", "ca_certificate": self.certificate.certificate}
        return {**self.settings, **own}

    def client(self, database: int = 0) -> redis.Redis:
        """Another client, to look from outside at what a stage did."""
        once = Retry(NoBackoff(), 0)
        return redis.Redis("127.0.0.1", self.port, database, PASSWORD, decode_responses=True, retry=once)


@contextmanager
def running(*options: str, needs_certificate: bool = False) -> Iterator[Server]:
    """A server with the users `default` and `reader`, which is gone afterwards with its folder."""
    program = shutil.which("redis-server")
    assert program, "no Redis: `make servers` installs it"
    with TemporaryDirectory(prefix="cronny-redis-") as folder:
        server = Server(free_port(), free_port(), self_signed())
        config = Path(folder, "redis.conf")
        config.write_text("\n".join(_config(server, Path(folder), needs_certificate)))
        with Path(folder, "log").open("w") as log:
            process = start([program, str(config), *options], stdout=log, stderr=log, cwd=folder)
        try:
            _wait(server, Path(folder, "log"))
            yield server
        finally:
            signal_group(process.pid, signal.SIGKILL)
            process.wait()


def _config(server: Server, folder: Path, needs_certificate: bool) -> Iterator[str]:
    (folder / "server.crt").write_text(server.certificate.certificate)
    (folder / "server.key").write_text(server.certificate.key)
    yield from ("bind 127.0.0.1", f"port {server.port}", f"dir {folder}", 'save ""', "appendonly no")
    yield from (f"tls-port {server.tls_port}", f"tls-cert-file {folder}/server.crt")
    yield from (f"tls-key-file {folder}/server.key", f"tls-ca-cert-file {folder}/server.crt")
    yield f"tls-auth-clients {'yes' if needs_certificate else 'no'}"
    yield from USERS


def _wait(server: Server, log: Path) -> None:
    for _ in range(200):
        try:
            with server.client() as client:
                client.ping()
            return
        except redis.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"Redis does not answer:\n{log.read_text()}")
