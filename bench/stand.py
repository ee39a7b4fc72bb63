"""The servers and processes of one load, all on this machine; every arm works on the same ones."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import httpx
from temporalio.client import Client

from bench.sink import SINK_PATH, Sink
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

ROOT = Path(__file__).parents[1]
TENANTS = ("bench", "flood")


@dataclass
class Stand:
    """What an arm works with."""

    settings: Settings
    sink: Sink
    folder: Path
    keys: Mapping[str, str]  #: The API key of each tenant.
    postgres_url: str | None
    pids: dict[str, int] = field(default_factory=dict)  #: Of each role, for the meter.
    processes: dict[str, "subprocess.Popen[str]"] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    async def client(self) -> Client:
        """A client of the Temporal that every arm shares."""
        return await connect(self.settings)

    def api(self, tenant: str = TENANTS[0]) -> httpx.AsyncClient:
        """A client of Cronny's API."""
        headers = {"X-API-Key": self.keys[tenant]}
        return httpx.AsyncClient(base_url=self.settings.api_url, headers=headers, timeout=60)

    def port(self, name: str) -> int:
        """A free port, the same one each time the name is asked for."""
        return self.ports.setdefault(name, free_port())

    @contextmanager
    def module(self, role: str, *command: str) -> Iterator[None]:
        """A Python module of this repository as the process of a role while the block runs."""
        with self.process(role, [sys.executable, "-m", *command], self.environment()):
            yield

    @contextmanager
    def process(
        self, role: str, command: list[str], environment: Mapping[str, str], *, is_told: bool = False
    ) -> Iterator[None]:
        """A process of a role while the block runs, then killed; one that is told things answers them."""
        with (self.folder / f"{role}.log").open("a") as log:
            ends = (subprocess.PIPE, subprocess.PIPE) if is_told else (subprocess.DEVNULL, log)
            process = start(command, env=environment, stdin=ends[0], stdout=ends[1], stderr=log, cwd=ROOT)
        self.pids[role], self.processes[role] = process.pid, process
        try:
            yield
        finally:
            del self.pids[role], self.processes[role]
            signal_group(process.pid, signal.SIGKILL)
            process.communicate()

    async def tell(self, role: str, *words: object) -> object:
        """Have a peer's process do something; what it answers."""
        process = self.processes[role]
        assert process.stdin is not None
        process.stdin.write(json.dumps(words) + "\n")
        process.stdin.flush()
        return await self.answer(role)

    async def answer(self, role: str) -> object:
        """The next line that a peer's process writes."""
        output = self.processes[role].stdout
        assert output is not None
        line = await asyncio.to_thread(output.readline)
        if not line:
            raise RuntimeError(f"{role} ended: {self.last_words(role)}")
        return json.loads(line)

    def last_words(self, role: str) -> str:
        """The end of what a process logged."""
        return (self.folder / f"{role}.log").read_text()[-500:]

    async def new_database(self, name: str) -> str:
        """The URL of a database that is made when it is not there yet."""
        if self.postgres_url is None:
            raise RuntimeError("needs PostgreSQL")
        connection = await asyncpg.connect(self.postgres_url)
        try:
            if not await connection.fetchval("select 1 from pg_database where datname = $1", name):
                await connection.execute(f"create database {name}")
        finally:
            await connection.close()
        return f"{self.postgres_url.rpartition('/')[0]}/{name}"

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
        with _database(database) as (url, pids), temporal.serving(server) as process:
            settings = Settings.model_validate(
                {
                    "data_dir": folder,
                    "database_url": url or f"sqlite:///{folder / 'cronny.db'}",
                    "temporal_address": server.address,
                    "api_port": free_port(),
                    "secret_keys": new_key(),
                }
            )
            upgrade(settings.database_url)
            keys = {tenant: new_api_key() for tenant in TENANTS}
            asyncio.run(_add_tenants(settings.database_url, keys))
            yield Stand(settings, Sink(folder / "sink"), folder, keys, url, {"temporal": process.pid, **pids})


@contextmanager
def _database(kind: str) -> Iterator[tuple[str | None, dict[str, int]]]:
    if kind == "sqlite":
        yield None, {}
        return
    with postgres.prepared(is_durable=True) as server, postgres.serving(server):
        pid = int((server.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        yield server.url, {"postgres": pid}


async def _add_tenants(url: str, keys: Mapping[str, str]) -> None:
    database = Database(url)
    async with database.write() as session:
        tenants = Tenants(session)
        for slug, key in keys.items():
            tenant = await tenants.add(slug, wall_clock())
            await tenants.add_key(tenant, "bench", hash_key(key), wall_clock())
    await database.close()
