"""What a claim means for other workflows: some are ended, some may go."""

import asyncio
import logging
from collections.abc import Sequence

from temporalio import activity
from temporalio.client import Client

from cronny.errors import Unavailable
from cronny.store.claims import Execution
from cronny.temporal.schedules import release, terminate

log = logging.getLogger("activities.killing")


async def end_killed(killed: Sequence[Execution]) -> None:
    """Terminate the workflows of triggers that the ledger has settled; what of them executes is cancelled."""
    if killed:
        client = activity.client()
        await asyncio.gather(*[_end(client, execution) for execution in killed])


async def let_go(workflows: Sequence[str]) -> None:
    """Tell queued triggers that their turn has come."""
    if workflows:
        client = activity.client()
        await asyncio.gather(*[_release(client, workflow_id) for workflow_id in workflows])


async def _release(client: Client, workflow_id: str) -> None:
    try:
        await release(client, workflow_id)
    except Unavailable as error:  # It asks again by itself.
        fields = {"workflow": workflow_id, "reason": str(error)}
        log.warning("a queued trigger was not told that its turn has come", extra=fields)


async def _end(client: Client, execution: Execution) -> None:
    try:
        await terminate(client, execution.workflow_id, execution.run_id, "a later trigger took its place")
    except Unavailable as error:  # Its row is settled; what it still does is not worth the later one's start.
        fields = {"workflow": execution.workflow_id, "reason": str(error)}
        log.warning("a killed trigger's workflow may go on", extra=fields)
