"""`cronny up`: everything Cronny needs, in one terminal."""

import asyncio
import signal
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from temporalio.client import Client

from cronny.cli import programs
from cronny.cli.client_file import known_key, leave_for_client
from cronny.cli.exits import CannotRun, Exit
from cronny.cli.log import Log
from cronny.cli.preflight import claimed, ensure_key_file, require_free
from cronny.cli.readiness import api_is_ready, temporal_answers, wait_for, worker_polls
from cronny.cli.stack import Stack
from cronny.demo import seed
from cronny.errors import CronnyError, Unavailable
from cronny.settings import Settings
from cronny.store.migrate import upgrade
from cronny.temporal.binary import obtain, user_cache
from cronny.temporal.connection import check, connect, ensure_retention, ensure_search_attributes
from cronny.temporal.devserver import DevServer

LOOPBACK = (IPv4Network("127.0.0.1"), IPv6Network("::1"))
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = typer.Typer(add_completion=False)


@app.command()
def up(
    host: Annotated[str | None, typer.Option(help="Address the API listens on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API.")] = None,
    temporal_address: Annotated[str | None, typer.Option(help="Use this Temporal, HOST:PORT.")] = None,
    temporal_port: Annotated[int | None, typer.Option(help="Port of the development server.")] = None,
    ui_port: Annotated[int | None, typer.Option(help="Port of Temporal's web UI.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the databases and keys.")] = None,
    demo: Annotated[bool, typer.Option(help="Load the demo tenant.")] = True,
) -> None:
    """Start Temporal, the API and a worker, and stop them with Ctrl-C."""
    flags = {
        "api_host": host,
        "api_port": port,
        "temporal_address": temporal_address,
        "temporal_port": temporal_port,
        "temporal_ui_port": ui_port,
        "data_dir": data_dir,
    }
    raise typer.Exit(run({name: value for name, value in flags.items() if value is not None}, demo))


def run(flags: dict[str, str | int | Path], demo: bool) -> int:
    """Runs until asked to stop; gives the exit code, whose reason is one line on standard error."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _prepare_and_serve(Settings.model_validate(flags), demo, Log(Console(highlight=False)))
    except CannotRun as error:
        return _refused(error.code, str(error))
    except ValidationError as error:
        problem = error.errors()[0]
        return _refused(Exit.USAGE, f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}")
    except CronnyError as error:
        return _refused(Exit.FAILED, str(error))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.STOPPED


def _refused(code: Exit, reason: str) -> Exit:
    typer.echo(f"cronny up: {' '.join(reason.split())}", err=True)
    return code


def _prepare_and_serve(settings: Settings, demo: bool, log: Log) -> None:
    with claimed(settings.data_dir):
        _check_ports(settings)
        if demo:
            settings = _opened(settings, log)
        server = _server(settings, log)
        ensure_key_file(settings)
        _migrate(settings)
        asyncio.run(_serve(settings, server, demo, log))


def _opened(settings: Settings, log: Log) -> Settings:
    """The settings with loopback open for stages: the demo's actions call this installation's own API."""
    log.say("stages may reach 127.0.0.1 and ::1, for the demo; `cronny up --no-demo` keeps them closed")
    return settings.model_copy(update={"egress_allow": (*settings.egress_allow, *LOOPBACK)})


def _check_ports(settings: Settings) -> None:
    require_free(settings.api_host, settings.api_port, "the API", "--port")
    if settings.temporal_address is None:
        require_free("127.0.0.1", settings.temporal_port, "Temporal", "--temporal-port")
        require_free("127.0.0.1", settings.temporal_ui_port, "Temporal's web UI", "--ui-port")


def _server(settings: Settings, log: Log) -> DevServer | None:
    """The development server to start, or None when a Temporal was named; that one has to answer."""
    try:
        if settings.temporal_address is None:
            return programs.devserver(settings, obtain(user_cache(), log.say))
        asyncio.run(_require_temporal(settings))
    except Unavailable as error:
        code = Exit.UNREACHABLE if settings.temporal_address else Exit.NO_TEMPORAL
        raise CannotRun(code, str(error)) from error
    return None


async def _require_temporal(settings: Settings) -> None:
    await check(await connect(settings))


def _migrate(settings: Settings) -> None:
    try:
        upgrade(settings.database_url)
    except CronnyError as error:
        raise CannotRun(Exit.DATABASE, f"the database cannot be used: {error}") from error


async def _serve(settings: Settings, server: DevServer | None, demo: bool, log: Log) -> None:
    asked = asyncio.Event()
    async with Stack(log) as stack:
        for number in STOP_SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, _on_signal, asked, stack)
        running = asyncio.create_task(_bring_up(stack, settings, server, demo, log))
        stopping = asyncio.create_task(_until(asked))
        ended, _ = await asyncio.wait({running, stopping, stack.failed}, return_when=asyncio.FIRST_COMPLETED)
        running.cancel()
        stopping.cancel()
        log.say("stopping")
    for future in ended:
        future.result()


async def _until(asked: asyncio.Event) -> None:
    await asked.wait()


def _on_signal(asked: asyncio.Event, stack: Stack) -> None:
    if asked.is_set():  # The second Ctrl-C of somebody who does not want to wait.
        stack.kill()
    asked.set()


async def _bring_up(stack: Stack, settings: Settings, server: DevServer | None, demo: bool, log: Log) -> None:
    client = await connect(settings)
    if server is not None:
        stack.start(programs.temporal(server))
        await wait_for(temporal_answers(client), "Temporal", log.say)
        await ensure_retention(client)
    await ensure_search_attributes(client)
    await _start_ours(stack, settings, client, log)
    known = known_key(settings)
    key = await seed(settings, known) if demo else known
    leave_for_client(settings, key)
    log.show(_welcome(settings, server, key))
    await asyncio.Event().wait()


async def _start_ours(stack: Stack, settings: Settings, client: Client, log: Log) -> None:
    since = datetime.now(UTC)
    stack.start(programs.api(settings))
    stack.start(programs.worker(settings))
    await wait_for(api_is_ready(settings.api_url), "the API", log.say)
    await wait_for(worker_polls(client, since), "the worker", log.say)


def _welcome(settings: Settings, server: DevServer | None, key: str | None) -> str:
    lines = [
        "",
        "Cronny is up.",
        f"  API          {settings.api_url}",
        f"  API docs     {settings.api_url}/docs",
        f"  Temporal UI  {server.ui_url}" if server else f"  Temporal     {settings.temporal_target}",
        f"  API key      {key}" if key else "  API key      none yet",
        f"  Data         {settings.data_dir}",
        "  Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)
