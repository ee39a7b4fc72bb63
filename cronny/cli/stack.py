"""The services of `cronny up` together: started one after the other, stopped in the opposite order."""

import asyncio
from types import TracebackType
from typing import Self

from cronny.cli.log import Log
from cronny.cli.service import Program, Service

LAST_WORDS = 0.5  # seconds to show what a service wrote while it stopped


class Stack:
    """Runs services until it is left; `failed` then says why, if one of them gave up."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._running: list[tuple[Service, asyncio.Task[None]]] = []
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self, program: Program) -> None:
        """Starts a service and keeps it running."""
        service = Service(program, self._log)
        keeping = asyncio.create_task(service.keep())
        keeping.add_done_callback(self._ended)
        self._running.append((service, keeping))

    def kill(self) -> None:
        """Ends everything at once."""
        for service, _ in self._running:
            service.kill()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for service, keeping in reversed(self._running):
            await service.stop()
            await asyncio.wait({keeping}, timeout=LAST_WORDS)
            keeping.cancel()

    def _ended(self, keeping: asyncio.Task[None]) -> None:
        error = None if keeping.cancelled() else keeping.exception()
        if error is not None and not self.failed.done():
            self.failed.set_exception(error)
