"""Other durable schedulers, each in an environment of its own: DBOS, APScheduler, Restate."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path

import httpx

from bench.arm import Arm, Recurring, gathered
from bench.arms.environments import node_binary, python
from bench.peers.control import DATABASE
from bench.stand import ROOT, Stand

DBOS = ("dbos==3.4.0",)
APSCHEDULER = ("apscheduler==3.11.3", "sqlalchemy==2.0.*", "psycopg2-binary==2.9.*")
RESTATE = ("restate-sdk==1.3.0", "hypercorn==0.18.0")
RESTATE_SERVER = "@restatedev/restate-server@1.7.12"
PATIENCE = 300  # tenths of a second in which a server must answer


class Told(Arm):
    """A peer that is a library: its one process is told what to set up."""

    def __init__(self, name: str, module: str, packages: Sequence[str], verbs: tuple[str, str]) -> None:
        self.name = name
        self._module, self._packages = module, packages
        self._once, self._recurring = verbs

    def prepare(self) -> None:
        """Its packages."""
        python(self._module, self._packages)

    @contextmanager
    def worker(self, stand: Stand) -> Iterator[None]:
        """The process that has the library, once it answers."""
        database = asyncio.run(stand.new_database(self.name.replace(" ", "_")))
        environment = {**stand.environment(), DATABASE: database, "PYTHONPATH": str(ROOT)}
        command = [str(python(self._module, self._packages)), "-m", f"bench.peers.{self._module}"]
        with stand.process("worker", command, environment, is_told=True):
            asyncio.run(stand.answer("worker"))
            yield

    async def once(self, stand: Stand, prefix: str, dues: Sequence[float]) -> None:
        """As the peer's module writes it."""
        await stand.tell("worker", self._once, prefix, list(dues))

    async def recurring(self, stand: Stand, rules: Sequence[Recurring]) -> None:
        """As the peer's module writes it."""
        await stand.tell("worker", self._recurring, [astuple(rule) for rule in rules])

    async def chain(self, stand: Stand, length: int, times: int) -> list[float]:
        """As the peer's module writes it."""
        seconds = await stand.tell("worker", "chain", length, times)
        assert isinstance(seconds, list)
        return seconds


class Restate(Arm):
    """Restate's server with its defaults, and one Python service; what is due later is a delayed send."""

    name = "restate"

    def prepare(self) -> None:
        """Its server and its SDK."""
        _restate_server()
        python("restate", RESTATE)

    @contextmanager
    def servers(self, stand: Stand) -> Iterator[None]:
        """The server, on loopback only."""
        environment = {
            **os.environ,
            "RESTATE_BASE_DIR": str(stand.folder / "restate"),
            "RESTATE_NODE_NAME": "bench",
            "RESTATE_BIND_IP": "127.0.0.1",
            "RESTATE_LISTEN_MODE": "tcp",
            "RESTATE_BIND_PORT": str(stand.port("restate fabric")),
            "RESTATE_INGRESS__BIND_PORT": str(stand.port("restate ingress")),
            "RESTATE_ADMIN__BIND_PORT": str(stand.port("restate admin")),
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_LOG_FILTER": "warn",
        }
        with stand.process("restate", [str(_restate_server())], environment):
            yield

    @contextmanager
    def worker(self, stand: Stand) -> Iterator[None]:
        """The service, once the server has discovered it."""
        port = stand.port("restate service")
        command = [str(python("restate", RESTATE)), "-m", "bench.peers.restate", str(port)]
        with stand.process("worker", command, {**stand.environment(), "PYTHONPATH": str(ROOT)}):
            asyncio.run(_register(stand, port))
            yield

    async def once(self, stand: Stand, prefix: str, dues: Sequence[float]) -> None:
        """A delayed send for each due."""

        async def one(number: int) -> None:
            body = {"fire": f"{prefix}-{number}", "due": dues[number]}
            (await ingress.post(f"/bench/fire/send{_delay(dues[number])}", json=body)).raise_for_status()

        async with _ingress(stand) as ingress:
            await gathered(one, len(dues))

    async def recurring(self, stand: Stand, rules: Sequence[Recurring]) -> None:
        """An object for each schedule, whose handler sends itself the next tick."""

        async def one(number: int) -> None:
            rule = rules[number]
            body = {"due": rule.start, "every": rule.every, "times": rule.times}
            path = f"/cron/{rule.name}/tick/send{_delay(rule.start)}"
            (await ingress.post(path, json=body)).raise_for_status()

        async with _ingress(stand) as ingress:
            await gathered(one, len(rules))

    async def chain(self, stand: Stand, length: int, times: int) -> list[float]:
        """A handler of so many journaled steps in a row."""
        seconds = []
        async with _ingress(stand) as ingress:
            for _ in range(times):
                began = time.monotonic()
                (await ingress.post("/bench/chain", json=length)).raise_for_status()
                seconds.append(time.monotonic() - began)
        return seconds


def _restate_server() -> Path:
    return node_binary("restate-server", RESTATE_SERVER, "@restatedev/restate-server-*/bin/restate-server")


def _ingress(stand: Stand) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{stand.port('restate ingress')}", timeout=60)


def _delay(due: float) -> str:
    return f"?delay={max(0, round((due - time.time()) * 1000))}ms"


async def _register(stand: Stand, port: int) -> None:
    async with httpx.AsyncClient(timeout=10) as client:
        for _ in range(PATIENCE):
            try:
                body = {"uri": f"http://127.0.0.1:{port}", "force": True}
                address = f"http://127.0.0.1:{stand.port('restate admin')}/deployments"
                if (await client.post(address, json=body)).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError(f"Restate does not find its service: {stand.last_words('worker')}")
