"""What attempts leave to be done once their ends are recorded; nobody waits for it."""

import asyncio
import logging
from collections.abc import Iterable

from activities.stages.kind import Deed

log = logging.getLogger("activities.aftermath")


class Aftermath:
    """The deeds under way in one process."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, deeds: Iterable[Deed]) -> None:
        """Do these beside everything else."""
        for deed in deeds:
            task = asyncio.ensure_future(_done(deed))
            self._tasks.add(task)  # The loop itself keeps no hold of a task.
            task.add_done_callback(self._tasks.discard)


async def _done(deed: Deed) -> None:
    try:
        await deed()
    except Exception as error:  # The attempt is recorded: whatever is left over, a reaper finds it.
        log.warning("something was left behind by a stage", extra={"reason": str(error)})
