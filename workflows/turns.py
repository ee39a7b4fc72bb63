"""How workflows wait for news: on a timer and a signal, without an activity."""

from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow

ASK_AGAIN = timedelta(seconds=60)  # a queued trigger, in case nobody tells it that its turn has come
ASK_RARELY = timedelta(minutes=10)  # after an hour: a history has room for some thousand questions
HOUR = 60  # questions
# A wake that has passed is asked for again, but not at full speed: the database's clock may be behind.
LEAST_WAIT = timedelta(seconds=1)


class Turns:
    """How often a workflow was told that something for which it waits has happened."""

    def __init__(self) -> None:
        self.given = 0

    async def after(self, seen: int, asked: int) -> None:
        """Return when a turn beyond `seen` was given, or when it is time to ask whether one is due."""
        await self._within(seen, ASK_AGAIN if asked < HOUR else ASK_RARELY)

    async def until(self, seen: int, wake: datetime) -> None:
        """Return when a turn beyond `seen` was given, or at the wake."""
        await self._within(seen, max(wake - workflow.now(), LEAST_WAIT))

    async def _within(self, seen: int, patience: timedelta) -> None:
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self.given > seen, timeout=patience)
