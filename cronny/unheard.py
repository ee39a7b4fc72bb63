"""What the watchdog does about stages that wait: nothing that was decided stays unheard."""

import asyncio
import logging
from datetime import datetime, timedelta

from temporalio.client import Client

from cronny.errors import Refused
from cronny.patience import Patience
from cronny.store.database import Database
from cronny.store.waits import BATCH, Unheard, close_wait, unheard_waits, withdraw_child
from cronny.temporal.schedules import cancel, release

# Each telling is an event in a history; a trigger whose worker is away hears of all of them later.
TELLINGS = (timedelta(seconds=15), timedelta(minutes=30))

log = logging.getLogger("cronny.watchdog")


class WaitRepairs:
    """Tells triggers what was decided, and closes the waits of those that ended."""

    def __init__(self, database: Database, client: Client) -> None:
        self._database = database
        self._client = client
        self._patience = Patience(*TELLINGS)
        self._place: tuple[datetime, str] | None = None

    async def round(self, now: datetime) -> bool:
        """Look at the next waits, after the last ones at the first again; whether Temporal took it all.

        Raises Unavailable when Temporal is away.
        """
        self._patience.forget(now)
        async with self._database.read() as session:
            found = await unheard_waits(session, now, self._place)
        self._place = (found[-1].row.until, found[-1].row.id) if len(found) == BATCH else None
        due = [wait for wait in found if self._patience.is_over(wait.row.id, now)]
        return all(await asyncio.gather(*[self._repair(wait, now) for wait in due]))

    async def _repair(self, wait: Unheard, now: datetime) -> bool:
        try:
            if wait.is_orphan:
                await self._withdraw(wait, now)
            else:
                await release(self._client, wait.row.workflow_id)
        except Refused as error:
            log.warning("Temporal refused a message", extra={"wait": wait.row.id, "reason": str(error)})
            return False
        self._patience.note(wait.row.id, now)
        return True

    async def _withdraw(self, wait: Unheard, now: datetime) -> None:
        """Close a wait whose trigger has ended, and end what it has started."""
        async with self._database.write() as session:
            child = await withdraw_child(session, wait.row, now) if wait.row.answered_at is None else None
        if child is not None:
            await cancel(self._client, child.workflow_id, child.run_id)
        async with self._database.write() as session:
            await close_wait(session, wait.row.id, now)
        log.warning("a wait was withdrawn, as its trigger has ended", extra={"wait": wait.row.id})
