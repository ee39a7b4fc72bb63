"""Python's garbage collector, kept from pausing a process at the wrong moment."""

import asyncio
import gc
from collections.abc import Callable
from datetime import datetime, timedelta

from cronny.clock import Clock

# New objects after which the young ones are looked at, and such looks after which the middle-aged are.
YOUNG, MIDDLE = 5_000, 10
NEVER = 1_000_000_000
EVERY = timedelta(minutes=1)  # a full collection, if there is a moment for it
OVERDUE = timedelta(minutes=10)  # after so long the next moment is good enough
ROOM = timedelta(milliseconds=100)  # to have at least until the next due, and twice what the last one took
LOOK = 0.7  # seconds between looks for a moment; dues often are whole seconds apart


def freeze_heap() -> None:
    """Look no more at the objects there are: a full collection then takes 13 ms instead of 140.

    They are modules, classes and models, which live as long as the process; a pause is a late answer, or a
    late claim.
    """
    gc.collect()
    gc.freeze()


class Sweeper:
    """Has all garbage collected while nothing is due.

    With three thousand triggers held Python does so every ten seconds, for half a second, whatever is due.
    """

    def __init__(self, soonest: Callable[[], datetime | None], clock: Clock) -> None:
        self._soonest = soonest
        self._clock = clock
        self._last = clock()
        self._took = timedelta()

    async def run(self) -> None:
        """Sweep now and then, until cancelled."""
        usual = gc.get_threshold()
        gc.set_threshold(YOUNG, MIDDLE, NEVER)
        try:
            while True:
                await asyncio.sleep(LOOK)
                if self.is_moment():
                    self.sweep()
        finally:
            gc.set_threshold(*usual)

    def is_moment(self) -> bool:
        """Whether a sweep is wanted and delays nothing."""
        now = self._clock()
        since = abs(now - self._last)
        if since < EVERY:
            return False
        soonest = self._soonest()
        return soonest is None or since > OVERDUE or soonest - now > ROOM + 2 * self._took

    def sweep(self) -> None:
        """Collect all garbage; nothing else happens meanwhile."""
        begin = self._clock()
        gc.collect()
        self._last = self._clock()
        self._took = abs(self._last - begin)
