"""The API process: `python -m api`."""

import asyncio
import logging
from collections.abc import Mapping
from socket import socket

import uvicorn

from activities.blobs.opening import open_blobs
from activities.stages.catalogue import KINDS
from activities.stages.kind import Kind
from api.app import create_app
from api.follow.streams import Streams
from api.parts import Parts
from cronny.clock import wall_clock
from cronny.errors import CronnyError
from cronny.heap import freeze_heap
from cronny.keyring import open_ring
from cronny.logs import configure_logging
from cronny.settings import Settings
from cronny.store.database import Database
from cronny.temporal.connection import connect

DRAIN = 1  # seconds for requests under way when the process ends; `cronny up` waits for two in all

log = logging.getLogger("api")


class _Server(uvicorn.Server):
    """A server whose streams end when it does."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """End what would go on for ever, and let the rest come to its end."""
        self._streams.close()
        await super().shutdown(sockets)


async def serve(settings: Settings, kinds: Mapping[str, Kind] = KINDS) -> None:
    """Connect everything and serve until SIGTERM or SIGINT."""
    keyring = open_ring(settings)
    database = Database(settings.database_url)
    try:
        temporal, blobs = await connect(settings), open_blobs(settings)
        parts = Parts(database, temporal, keyring, kinds, wall_clock, settings.outside_url, blobs=blobs)
        app = create_app(parts)
        config = uvicorn.Config(
            app,
            host=settings.api_host,
            port=settings.api_port,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN,
        )
        freeze_heap()
        log.info("the API starts", extra={"url": settings.api_url})
        await _Server(config, app.state.streams).serve()
    finally:
        await database.close()


def main() -> None:
    """Run the API of this installation."""
    settings = Settings()
    configure_logging(settings.log_format)
    try:
        asyncio.run(serve(settings))
    except CronnyError as error:
        log.error("the API stops", extra={"reason": str(error)})
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
