"""How workflows wait for news: on a timer and a signal, without an activity."""

from contextlib import suppress
from datetime import datetime, timedelta
from zlib import crc32

from temporalio import workflow

# A queued trigger asks by itself in case nobody tells it that its turn has come; the watchdog does, too. Each
# question is a claim, and up to eleven events: a thousand that ask each minute keep a machine busy.
ASK_AGAIN = timedelta(seconds=60)  # then twice as long each time
ASK_RARELY = timedelta(minutes=15)
DOUBLINGS = 10  # enough to get from one to the other
EARLIER = 0.25  # of the time, at most: those that were queued together ask apart
# A wake that has passed is asked for again, but not at full speed: the database's clock may be behind.
LEAST_WAIT = timedelta(seconds=1)


def patience(workflow_id: str, asked: int) -> timedelta:
    """How long to wait before the next question; it takes nothing from the workflow's randomness."""
    whole = min(ASK_AGAIN * (1 << min(asked, DOUBLINGS)), ASK_RARELY)
    return whole * (1 - EARLIER * (crc32(f"{workflow_id} {asked}".encode()) / 2**32))


class Turns:
    """How often a workflow was told that something for which it waits has happened."""

    def __init__(self) -> None:
        self.given = 0

    async def after(self, seen: int, asked: int) -> None:
        """Return when a turn beyond `seen` was given, or when it is time to ask whether one is due."""
        await self._within(seen, patience(workflow.info().workflow_id, asked))

    async def until(self, seen: int, wake: datetime) -> None:
        """Return when a turn beyond `seen` was given, or at the wake."""
        await self._within(seen, max(wake - workflow.now(), LEAST_WAIT))

    async def _within(self, seen: int, patience: timedelta) -> None:
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self.given > seen, timeout=patience)
