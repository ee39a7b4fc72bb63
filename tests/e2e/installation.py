"""A running Cronny of its own: real Temporal, real database, API and worker as processes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from cronny.child import signal_group, start
from cronny.clock import wall_clock
from cronny.secrets import hash_key, new_api_key, new_key
from cronny.settings import Settings
from cronny.store.database import Database
from cronny.store.migrate import upgrade
from cronny.store.tenants import Tenants
from cronny.temporal.binary import obtain, user_cache
from cronny.temporal.devserver import DevServer
from tests.e2e.tenant import TenantClient
from tests.servers import postgres
from tests.servers import temporal as temporal_server
from tests.servers.ports import free_port

START_LIMIT = 60.0  # seconds


@dataclass
class Installation:
    """Its processes can be killed and started again; its data outlives them."""

    settings: Settings
    temporal: DevServer
    folder: Path
    own_postgres: postgres.Server | None = None  #: Of an installation whose PostgreSQL is its own.
    running: dict[str, "subprocess.Popen[str]"] = field(default_factory=dict)

    def start(self, module: str, **environment: str) -> "subprocess.Popen[str]":
        """Start `api` or `worker`, or another module; several workers get a number behind their name."""
        command = [sys.executable, "-P", "-m", module.rstrip("0123456789")]
        env = {**self._environment(), **environment}
        with (self.folder / f"{module}.log").open("a") as log:
            self.running[module] = start(command, env=env, stdout=log, stderr=log)
        return self.running[module]

    def stop(self, module: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End a process, by default gracefully."""
        process = self.running.pop(module)
        signal_group(process.pid, number)
        process.wait(timeout=30)

    def start_temporal(self) -> "subprocess.Popen[str]":
        """Start the Temporal server again on its file."""
        with (self.folder / "temporal.log").open("a") as log:
            command, env = self.temporal.command, self.temporal.environment
            self.running["temporal"] = start(command, env=env, stdout=log, stderr=log)
        return self.running["temporal"]

    def restart(self, part: str) -> None:
        """Start what was stopped: a module, `temporal` or `postgres`."""
        match part:
            case "temporal":
                self.start_temporal()
            case "postgres":
                assert self.own_postgres is not None
                self.running[part] = postgres.launch(self.own_postgres)
            case _:
                self.start(part)

    def wait_ready(self) -> None:
        """Return once the API says that everything it needs is there."""
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.settings.api_url}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"the API is not ready:\n{self.log('api')}\n{self.log('worker')}")

    def add_tenant(self, slug: str) -> TenantClient:
        """A new tenant's client."""
        key = new_api_key()
        asyncio.run(self._add_tenant(slug, key))
        return TenantClient(slug, httpx.Client(base_url=self.settings.api_url, headers={"X-API-Key": key}))

    def log(self, module: str) -> str:
        """What a process wrote."""
        path = self.folder / f"{module}.log"
        return path.read_text() if path.exists() else ""

    async def _add_tenant(self, slug: str, key: str) -> None:
        database = Database(self.settings.database_url)
        async with database.write() as session:
            tenants = Tenants(session)
            tenant = await tenants.add(slug, wall_clock())
            await tenants.add_key(tenant, "test", hash_key(key), wall_clock())
        await database.close()

    def _environment(self) -> dict[str, str]:
        assert self.settings.secret_keys is not None
        return {
            **os.environ,
            "CRONNY_DATA_DIR": str(self.folder),
            "CRONNY_DATABASE_URL": self.settings.database_url,
            "CRONNY_TEMPORAL_ADDRESS": self.temporal.address,
            "CRONNY_API_PORT": str(self.settings.api_port),
            "CRONNY_SECRET_KEYS": self.settings.secret_keys.get_secret_value(),
            "CRONNY_EGRESS_ALLOW": "127.0.0.0/8",
            "PYTHONTZPATH": "",
        }


@contextmanager
def running_on_own_postgres() -> Iterator[Installation]:
    """An installation whose PostgreSQL, which writes durably, can be killed and started again."""
    with (
        postgres.prepared(is_durable=True) as server,
        postgres.serving(server) as process,
        running(server.url) as installation,
    ):
        installation.own_postgres = server
        installation.running["postgres"] = process
        yield installation


@contextmanager
def running(database_url: str | None = None, *, with_worker: bool = True) -> Iterator[Installation]:
    """An installation on SQLite, or on the PostgreSQL database that is given."""
    with TemporaryDirectory(prefix="cronny-e2e-") as name:
        folder = Path(name)
        server = DevServer(obtain(user_cache(), print), folder / "temporal.db", free_port(), free_port())
        given = {} if database_url is None else {"database_url": database_url}
        settings = Settings.model_validate(
            {"data_dir": folder, "api_port": free_port(), "secret_keys": new_key(), **given}
        )
        upgrade(settings.database_url)
        installation = Installation(settings, server, folder)
        with temporal_server.serving(server) as process:
            installation.running["temporal"] = process
            try:
                installation.start("api")
                if with_worker:
                    installation.start("worker")
                installation.wait_ready()
                yield installation
            finally:
                for module in list(installation.running):
                    installation.stop(module, signal.SIGKILL)
