"""What Temporal is told after a commit, in the background: the watchdog makes up for what is lost."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from temporalio.client import Client

from cronny.errors import Unavailable
from cronny.store.tables import ScheduleRow, Tenant
from cronny.temporal.schedules import cancel, notify, release, start_trigger
from workflows.messages import Fire

MOST_WAITING = 1000  # messages under way; with Temporal away, what exceeds it is left to the watchdog
CLOSE_LIMIT = 0.5  # seconds for what is under way when the process ends

log = logging.getLogger("api.outbox")


class Outbox:
    """Sends in the background what the database already says."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._sending: set[asyncio.Task[None]] = set()

    def changed(self, tenant: Tenant, row: ScheduleRow, action: str) -> None:
        """Tell a schedule's workflow that its row has changed."""
        self._send(notify(self._client, tenant.slug, row.id, row.name, action), row.name)

    def start(self, fire: Fire) -> None:
        """Start the workflow of a trigger asked for by hand."""
        self._send(start_trigger(self._client, fire), fire.trigger_id)

    def cancel(self, workflow_id: str) -> None:
        """End the workflow of a trigger that the ledger has settled; it would find nothing to do."""
        self._send(cancel(self._client, workflow_id, ""), workflow_id)

    def release(self, workflow_id: str) -> None:
        """Tell a trigger that its turn has come, or that something has happened for which a stage waits."""
        self._send(release(self._client, workflow_id), workflow_id)

    async def close(self) -> None:
        """Wait a little for what is under way."""
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=CLOSE_LIMIT)
            for task in late:
                task.cancel()

    def _send(self, message: Coroutine[Any, Any, None], about: str) -> None:
        if len(self._sending) >= MOST_WAITING:
            message.close()
            return
        task = asyncio.create_task(_sent(message, about))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)


async def _sent(message: Coroutine[Any, Any, None], about: str) -> None:
    try:
        await message
    except Unavailable as error:
        log.warning("Temporal was not told", extra={"about": about, "reason": str(error)})
    except Exception:
        log.exception("Temporal was not told", extra={"about": about})


def outbox_of(request: Request) -> Outbox:
    """The outbox of the server that received the request."""
    outbox: Outbox = request.app.state.outbox
    return outbox


SentAfter = Annotated[Outbox, Depends(outbox_of)]
