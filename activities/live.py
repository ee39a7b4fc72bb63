"""Makes the lines of stages readable while they run: in bulk, and only of those that take a while."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from activities.log import Log
from activities.masking import Masker
from cronny.clock import Clock
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.live import LogLine, Unit, live_of_unit, write_live

EVERY = timedelta(seconds=1)  # between two writes of a process; a stage that ends before costs none
MOST_WRITTEN = 500_000  # characters of one transaction: it keeps a claim on SQLite waiting for some 10 ms

report = logging.getLogger("activities.live")


@dataclass(eq=False)
class Running:
    """One execution of a unit that is under way."""

    unit: Unit
    attempt: int
    log: Log
    began: datetime
    since: float  #: The same on the loop's clock.

    @property
    def has_news(self) -> bool:
        """Whether there are lines that nobody else can read."""
        return len(self.log.lines) > self.log.written


class LiveLogs:
    """The logs of what one process executes."""

    def __init__(
        self, database: Database, clock: Clock, every: timedelta = EVERY, after: timedelta = EVERY
    ) -> None:
        """Writes `every` so often, of stages that have run for `after`."""
        self._after = after.total_seconds()
        self._database = database
        self._clock = clock
        self._every = every.total_seconds()
        self._running: set[Running] = set()
        self._left: dict[Unit, Log] = {}
        self._loop: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    @asynccontextmanager
    async def followed(self, unit: Unit, attempt: int, log: Log) -> AsyncIterator[None]:
        """Write a log down as it grows; after the block nothing more of it is written."""
        running = Running(unit, attempt, log, self._clock(), asyncio.get_running_loop().time())
        log.earlier = partial(self._take_over, running)
        self._running.add(running)
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._follow())
        try:
            yield
        except asyncio.CancelledError:
            self._left[unit] = log
            raise
        finally:
            self._running.discard(running)
            if log.is_live:
                async with self._writing:  # What is being written is there before the record is.
                    pass

    def left_by(self, unit: Unit) -> Log:
        """The log of an execution that was cancelled; it is told once."""
        return self._left.pop(unit, None) or Log(Masker(()))

    async def write(self) -> None:
        """Write what is new in the logs of stages that have taken a while."""
        long_ago = asyncio.get_running_loop().time() - self._after
        for batch in _batches([one for one in self._running if one.since <= long_ago and one.has_news]):
            async with self._writing:
                await self._write([one for one in batch if one in self._running])

    async def close(self) -> None:
        """Write nothing more; what is being written is written to its end."""
        async with self._writing:
            if self._loop is not None:
                self._loop.cancel()

    async def _follow(self) -> None:
        while self._running:
            await asyncio.sleep(self._every)
            try:
                await self.write()
            except Exception as error:  # The record will have the lines; the next round tries again.
                is_known = meaning_of(error) is not None
                report.warning("live lines were not written", exc_info=None if is_known else error)

    async def _write(self, batch: Sequence[Running]) -> None:
        pieces = [one.log.piece(one.unit, one.began, one.attempt) for one in batch]
        if not pieces:
            return
        for one in batch:
            one.log.is_live = True
        async with self._database.write() as session:
            await write_live(session, pieces, self._clock())
        for one, piece in zip(batch, pieces, strict=True):
            one.log.written = piece.first + len(piece.lines)

    async def _take_over(self, running: Running) -> Mapping[str, int]:
        """Begin the log with what an earlier worker wrote of the same attempt; its lines by stream."""
        async with self._writing:
            lines = await self._known(running)
            running.began = self._clock()  # What was written of this execution before is written again.
            running.log.take_over(lines)
            running.log.is_live = running.log.is_live or bool(lines)
        return Counter(line.stream for line in lines if line.stream is not None)

    async def _known(self, running: Running) -> Sequence[LogLine]:
        try:
            async with self._database.read() as session:
                return await live_of_unit(session, running.unit, running.attempt)
        except Exception as error:
            if meaning_of(error) is None:
                raise
            return ()  # Without the database the log merely begins anew.


def _batches(running: Sequence[Running]) -> Iterator[list[Running]]:
    batch: list[Running] = []
    size = 0
    for one in running:
        new = sum(len(line.text) for line in one.log.lines[one.log.written :])
        if batch and size + new > MOST_WRITTEN:
            yield batch
            batch, size = [], 0
        batch.append(one)
        size += new
    if batch:
        yield batch
