"""What the watchdog does about queued triggers: none waits on whose turn has come."""

import asyncio
import logging
from datetime import datetime, timedelta

from temporalio.client import Client

from cronny.errors import Refused
from cronny.patience import Patience
from cronny.store.database import Database
from cronny.store.unreleased import BATCH, unreleased
from cronny.temporal.schedules import release

ROUND = timedelta(seconds=30)  # between two looks
# Each telling is a claim, and some events in a history: who waits for a second reason is told in vain.
TELLINGS = (timedelta(seconds=60), timedelta(minutes=30))

log = logging.getLogger("cronny.watchdog")


class QueueRepairs:
    """Tells queued triggers that their turn has come, should nobody have done so."""

    def __init__(self, database: Database, client: Client) -> None:
        self._database = database
        self._client = client
        self._patience = Patience(*TELLINGS)
        self._looked: datetime | None = None
        self._passed = 0  # queues that the looks before this one were at

    async def round(self, now: datetime) -> bool:
        """Look at the next queues, if it is time; whether Temporal took it all. Raises Unavailable."""
        if self._looked is not None and self._looked <= now < self._looked + ROUND:
            return True
        self._patience.forget(now)
        async with self._database.read() as session:
            found = await unreleased(session, now, self._passed)
        self._looked = now
        self._passed = self._passed + BATCH if found.has_more else 0
        due = [workflow for workflow in found.workflows if self._patience.is_over(workflow, now)]
        return all(await asyncio.gather(*[self._tell(workflow, now) for workflow in due]))

    async def _tell(self, workflow: str, now: datetime) -> bool:
        try:
            await release(self._client, workflow)
        except Refused as error:
            log.warning("Temporal refused a message", extra={"workflow": workflow, "reason": str(error)})
            return False
        self._patience.note(workflow, now)
        return True
