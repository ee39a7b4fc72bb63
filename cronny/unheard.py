"""What the watchdog does about stages that wait: nothing that was decided stays unheard."""

import asyncio
import logging
from datetime import datetime

from temporalio.client import Client

from cronny.errors import Refused
from cronny.store.database import Database
from cronny.store.waits import Unheard, close_wait, unheard_waits, withdraw_child
from cronny.temporal.schedules import cancel, release

AT_ONCE = 20  # messages under way

log = logging.getLogger("cronny.watchdog")


async def look_after_waits(database: Database, client: Client, now: datetime) -> bool:
    """Tell triggers what was decided, and close the waits of those that ended; whether Temporal took it all.

    Raises Unavailable when Temporal is away.
    """
    async with database.read() as session:
        found = await unheard_waits(session, now)
    places = asyncio.Semaphore(AT_ONCE)

    async def repair(wait: Unheard) -> bool:
        async with places:
            return await _repaired(database, client, wait, now)

    results = await asyncio.gather(*[repair(wait) for wait in found], return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return all(results)


async def _repaired(database: Database, client: Client, wait: Unheard, now: datetime) -> bool:
    try:
        if wait.is_orphan:
            await _withdraw(database, client, wait, now)
        else:
            await release(client, wait.workflow_id)
    except Refused as error:
        log.warning("Temporal does not take a message", extra={"wait": wait.row.id, "reason": str(error)})
        return False
    return True


async def _withdraw(database: Database, client: Client, wait: Unheard, now: datetime) -> None:
    """Close a wait whose trigger has ended, and end what it has started."""
    async with database.write() as session:
        child = await withdraw_child(session, wait.row, now) if wait.row.answered_at is None else None
    if child is not None:
        await cancel(client, child.workflow_id, child.run_id)
    async with database.write() as session:
        await close_wait(session, wait.row.id, now)
    log.warning("a wait was withdrawn: its trigger has ended", extra={"wait": wait.row.id})
