"""A private S3 server, Versity's gateway, on a temporary folder; it is built once, with Go."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import httpx
from botocore.config import Config

from cronny.child import signal_group, start
from cronny.temporal.binary import user_cache
from tests.servers.certificates import Certificate, self_signed
from tests.servers.ports import free_port

VERSION = "v1.8.0"
PACKAGE = "github.com/versity/versitygw/cmd/versitygw"
REGION = "eu-test-1"
KEY_ID, SECRET = "root-key", "root/secret+key"
STRANGER = {"access_key_id": "stranger", "secret_access_key": "strangers-key"}


def obtain(say: Callable[[str], None]) -> Path:
    """The server's program, kept in the user's cache; without it the tests fail, they don't pass over it."""
    cache = user_cache()
    kept = cache / f"versitygw-{VERSION}" / "versitygw"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "versitygw.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.is_file():
            _build(kept, say)
    return kept


def _build(kept: Path, say: Callable[[str], None]) -> None:
    assert shutil.which("go"), "no S3 server, and no Go to build it with; install Go 1.26"
    say("building an S3 server with Go; this takes a minute, once")
    with TemporaryDirectory(prefix="build-", dir=kept.parents[1]) as folder:
        environment = {**os.environ, "GOBIN": folder, "CGO_ENABLED": "0"}
        done = subprocess.run(
            ["go", "install", "-trimpath", f"{PACKAGE}@{VERSION}"],
            check=False, capture_output=True, text=True, env=environment, cwd=folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        kept.parent.mkdir(exist_ok=True)
        Path(folder, "versitygw").rename(kept)


@dataclass(frozen=True)
class Server:
    """A server that answers, and what its stages need to know."""

    port: int
    certificate: Certificate | None

    @property
    def endpoint(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, object]:
        """A connection as the server's root."""
        own = {"ca_certificate": self.certificate.certificate} if self.certificate else {}
        keys = {"access_key_id": KEY_ID, "secret_access_key": SECRET}
        return {"endpoint": self.endpoint, "region": REGION, **keys, **own}

    def client(self) -> Any:
        """Another client, to look from outside at what a stage did."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            config=Config(proxies={}, s3={"addressing_style": "path"}),
        )


@contextmanager
def running(*options: str, with_tls: bool = False) -> Iterator[Server]:
    """A server with its root and the user `stranger`, which is gone afterwards with its folder."""
    program = obtain(print)
    with TemporaryDirectory(prefix="cronny-s3-") as folder:
        server = Server(free_port(), self_signed() if with_tls else None)
        command = [str(program), *_settings(server, Path(folder)), *options, "posix"]
        with Path(folder, "log").open("w") as log:
            places = ["--sidecar", f"{folder}/about", f"{folder}/data"]
            process = start([*command, *places], stdout=log, stderr=log, cwd=folder)
        try:
            _wait(server, Path(folder, "log"))
            yield server
        finally:
            signal_group(process.pid, signal.SIGKILL)
            process.wait()


def _settings(server: Server, folder: Path) -> list[str]:
    for name in ("data", "about", "users"):
        (folder / name).mkdir()
    settings = ["--access", KEY_ID, "--secret", SECRET, "--region", REGION, "--iam-dir", f"{folder}/users"]
    settings += ["--port", f"127.0.0.1:{server.port}", "--quiet", "--health", "/health"]
    if server.certificate:
        (folder / "server.crt").write_text(server.certificate.certificate)
        (folder / "server.key").write_text(server.certificate.key)
        settings += ["--cert", f"{folder}/server.crt", "--key", f"{folder}/server.key"]
    return settings


def _wait(server: Server, log: Path) -> None:
    with httpx.Client(verify=False, trust_env=False) as client:
        for _ in range(400):
            try:
                if client.get(f"{server.endpoint}/health").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
    raise AssertionError(f"the S3 server does not answer:\n{log.read_text()}")


def add_stranger(server: Server) -> None:
    """Make a user who may do nothing."""
    own = [
        "admin",
        "--access",
        KEY_ID,
        "--secret",
        SECRET,
        "--endpoint-url",
        server.endpoint,
        "--region",
        REGION,
    ]
    new = ["--access", STRANGER["access_key_id"], "--secret", STRANGER["secret_access_key"]]
    command = [str(obtain(print)), *own, "create-user", *new, "--role", "user"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
