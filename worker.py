"""The worker process: polls the system queue and the queues of its pool's tenants."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Mapping

from temporalio.client import Client

from activities.blobs.opening import open_blobs
from activities.evaluator import Evaluator
from activities.out_of_turn import OutOfTurn
from activities.reaper import Reaper
from activities.runtime import Parts, Runtime
from activities.serving import Serving
from activities.stages.catalogue import KINDS, equipped
from activities.stages.kind import Kind
from cronny.clock import Clock, wall_clock
from cronny.errors import CronnyError, Unavailable
from cronny.heap import Sweeper, freeze_heap
from cronny.keyring import open_ring
from cronny.logs import configure_logging
from cronny.metrics import exposed
from cronny.purger import Purger
from cronny.settings import Settings
from cronny.store.database import Database
from cronny.temporal.connection import check, connect, ensure_search_attributes
from cronny.watchdog import Watchdog

RETRY_CONNECT = 1.0  # seconds between tries while Temporal is away

log = logging.getLogger("cronny.worker")


async def serve(settings: Settings, kinds: Mapping[str, Kind] = KINDS, clock: Clock = wall_clock) -> None:
    """Connect everything and serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    parts = _parts(settings, kinds, clock)
    try:
        with exposed(parts.metrics, settings.metrics_host, settings.metrics_port):
            client = await _reach_temporal(settings, stop)
            if client is not None:
                await _work(parts, client, settings, stop)
    finally:
        await parts.evaluator.close()
        await parts.database.close()


def _parts(settings: Settings, kinds: Mapping[str, Kind], clock: Clock) -> Parts:
    return Parts(
        database=Database(settings.database_url),
        evaluator=Evaluator(),
        keyring=open_ring(settings),
        kinds=equipped(kinds, settings),
        clock=clock,
        egress=settings.egress,
        outside_url=settings.outside_url,
        blobs=open_blobs(settings),
    )


async def _work(parts: Parts, client: Client, settings: Settings, stop: asyncio.Event) -> None:
    holder = f"{socket.gethostname()}/{os.getpid()}"
    watchdog = Watchdog(parts.database, client, parts.clock, holder, parts.metrics)
    runtime = Runtime(parts)
    purger = Purger(parts.database, parts.clock, holder, parts.metrics, parts.blobs)
    reaper = Reaper(parts.database, parts.clock, settings.docker_host, parts.metrics)
    sweeper = Sweeper(runtime.holds.soonest, parts.clock)
    loops = [
        asyncio.create_task(loop.run())
        for loop in (watchdog, OutOfTurn(runtime, client, holder), purger, reaper, sweeper)
    ]
    freeze_heap()
    try:
        await Serving(client, runtime, settings.pool).run(stop)
    finally:
        for loop in loops:
            loop.cancel()
        await runtime.live.close()


async def _reach_temporal(settings: Settings, stop: asyncio.Event) -> Client | None:
    client = await connect(settings)
    while not stop.is_set():
        try:
            await check(client)
            await ensure_search_attributes(client)
        except Unavailable as error:
            log.warning("waiting for Temporal", extra={"reason": str(error)})
            await wait(stop, RETRY_CONNECT)
        else:
            log.info("connected to Temporal", extra={"address": settings.temporal_target})
            return client
    return None


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set, or after so many seconds."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def main() -> None:
    """Run the worker of this installation."""
    settings = Settings()
    configure_logging(settings.log_format)
    try:
        asyncio.run(serve(settings))
    except CronnyError as error:
        log.error("the worker stops", extra={"reason": str(error)})
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
