"""A real Temporal development server, with a database file of its own."""

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cronny.child import signal_group, start
from cronny.errors import Unavailable
from cronny.settings import Settings
from cronny.temporal.binary import obtain, user_cache
from cronny.temporal.connection import check, connect
from cronny.temporal.devserver import DevServer
from tests.servers.ports import free_port

START_LIMIT = 60.0  # seconds


@contextmanager
def running() -> Iterator[DevServer]:
    """A server that answers; CRONNY_TEMPORAL_ADDRESS is not looked at, tests get one of their own."""
    with TemporaryDirectory(prefix="cronny-temporal-") as folder:
        server = DevServer(
            binary=obtain(user_cache(), print),
            database=Path(folder) / "temporal.db",
            port=free_port(),
            ui_port=free_port(),
        )
        with serving(server):
            yield server


@contextmanager
def serving(server: DevServer) -> Iterator["subprocess.Popen[str]"]:
    """The server's process, once it answers; started again on the same file it continues."""
    log = server.database.with_suffix(".log")
    with log.open("a") as output:
        process = start(server.command, env=server.environment, stdout=output, stderr=output)
    try:
        asyncio.run(asyncio.wait_for(_answers(server, process), START_LIMIT))
        yield process
    except TimeoutError:
        raise AssertionError(f"Temporal does not answer:\n{log.read_text()}") from None
    finally:
        signal_group(process.pid, signal.SIGTERM)
        process.wait()


async def _answers(server: DevServer, process: "subprocess.Popen[str]") -> None:
    client = await connect(Settings(temporal_address=server.address))
    while process.poll() is None:
        try:
            return await check(client)
        except Unavailable:
            await asyncio.sleep(0.1)
    raise AssertionError(f"Temporal ended with code {process.returncode}")
