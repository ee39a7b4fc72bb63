"""The servers and workers of one bench run, all on this machine, each arm on the same ones."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from temporalio.client import Client

from bench.kinds import SINK_PATH
from bench.sink import Sink
from cronny.child import signal_group, start
from cronny.clock import wall_clock
from cronny.secrets import hash_key, new_api_key, new_key
from cronny.settings import Settings
from cronny.store.database import Database
from cronny.store.migrate import upgrade
from cronny.store.tenants import Tenants
from cronny.temporal.binary import obtain, user_cache
from cronny.temporal.connection import connect
from cronny.temporal.devserver import DevServer
from tests.servers import postgres, temporal
from tests.servers.ports import free_port

KILL = 9


@dataclass
class Stand:
    """What an arm works with."""

    settings: Settings
    sink: Sink
    folder: Path
    key: str
    pids: dict[str, int] = field(default_factory=dict)  #: Of each role, for the meter.

    async def client(self) -> Client:
        """A client of the Temporal that every arm shares."""
        return await connect(self.settings)

    def api(self) -> httpx.AsyncClient:
        """A client of Cronny's API."""
        headers = {"X-API-Key": self.key}
        return httpx.AsyncClient(base_url=self.settings.api_url, headers=headers, timeout=60)

    @contextmanager
    def process(self, role: str, *command: str) -> Iterator[None]:
        """A process of a role while the block runs."""
        with (self.folder / f"{role}.log").open("a") as log:
            process = start([sys.executable, "-m", *command], env=self.environment(), stdout=log, stderr=log)
        self.pids[role] = process.pid
        try:
            yield
        finally:
            del self.pids[role]
            _end(process)

    def environment(self) -> dict[str, str]:
        """The environment of every process."""
        assert self.settings.secret_keys is not None
        return {
            **os.environ,
            "CRONNY_DATA_DIR": str(self.folder),
            "CRONNY_DATABASE_URL": self.settings.database_url,
            "CRONNY_TEMPORAL_ADDRESS": self.settings.temporal_target,
            "CRONNY_API_PORT": str(self.settings.api_port),
            "CRONNY_SECRET_KEYS": self.settings.secret_keys.get_secret_value(),
            SINK_PATH: str(self.folder / "sink"),
        }


@contextmanager
def standing(database: str) -> Iterator[Stand]:
    """The servers: Temporal's development server, and SQLite or a PostgreSQL that writes durably."""
    with TemporaryDirectory(prefix="cronny-bench-") as name:
        folder = Path(name)
        server = DevServer(obtain(user_cache(), print), folder / "temporal.db", free_port(), free_port())
        with _database(database, folder) as url, temporal.serving(server) as process:
            settings = Settings.model_validate(
                {
                    "data_dir": folder,
                    "database_url": url,
                    "temporal_address": server.address,
                    "api_port": free_port(),
                    "secret_keys": new_key(),
                }
            )
            upgrade(settings.database_url)
            stand = Stand(settings, Sink(folder / "sink"), folder, new_api_key(), {"temporal": process.pid})
            asyncio.run(_add_tenant(settings.database_url, stand.key))
            yield stand


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'cronny.db'}"
        return
    with postgres.running(is_durable=True) as url:
        yield url


async def _add_tenant(url: str, key: str) -> None:
    database = Database(url)
    async with database.write() as session:
        tenants = Tenants(session)
        tenant = await tenants.add("bench", wall_clock())
        await tenants.add_key(tenant, "bench", hash_key(key), wall_clock())
    await database.close()


def _end(process: "subprocess.Popen[str]") -> None:
    signal_group(process.pid, KILL)  # type: ignore[arg-type]  # a number is a signal
    process.wait()
