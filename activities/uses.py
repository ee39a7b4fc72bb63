"""Notes when connections, secrets and API keys are used, beside what uses them and not in its way."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cronny.batching import Batcher
from cronny.clock import Clock
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.uses import Use, note_uses

EVERY = timedelta(minutes=5)  # a use that follows another within these is not written down
MOST = 100_000  # uses remembered; then all are forgotten, which costs a few writes
CHUNK = 100  # uses of one transaction

log = logging.getLogger("activities.uses")


class UseLog:
    """What this process has used lately."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[Use, datetime] = {}
        self._writes: Batcher[Use, None] = Batcher(self._write, CHUNK)
        self._waiting: set[asyncio.Task[None]] = set()

    def note(self, uses: Iterable[Use]) -> None:
        """Write down, in the background, what was not used a moment ago."""
        now = self._clock()
        if len(self._noted) > MOST:
            self._noted.clear()
        for use in uses:
            if use not in self._noted or now - self._noted[use] >= EVERY:
                self._noted[use] = now
                task = asyncio.create_task(self._submit(use))
                self._waiting.add(task)
                task.add_done_callback(self._waiting.discard)

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._waiting)

    async def _submit(self, use: Use) -> None:
        try:
            await self._writes.submit(use)
        except Exception as error:  # Not worth a stage; the next use is written again.
            self._noted.pop(use, None)
            is_known = meaning_of(error) is not None
            log.warning("a use was not noted", exc_info=None if is_known else error)

    async def _write(self, uses: Sequence[Use]) -> Sequence[None]:
        async with self._database.write() as session:
            await note_uses(session, set(uses), self._clock())
        return [None] * len(uses)
