"""Who may run next: places in one worker, shared between tenants."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Places of which one tenant has only so many; a free one goes to the tenant that has the fewest."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[None]:
        """A place for the tenant, in the order in which it asked."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, deque()).append(turn)
        self._give()
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():
                self._taken[tenant] -= 1
            self._give()

    def _give(self) -> None:
        while self._taken.total() < self._most and (tenant := self._next()) is not None:
            turn = self._waiting[tenant].popleft()
            if not turn.done():  # One that is, was cancelled while it waited.
                self._taken[tenant] += 1
                turn.set_result(None)
        self._waiting = {tenant: turns for tenant, turns in self._waiting.items() if turns}

    def _next(self) -> str | None:
        entitled = [
            tenant
            for tenant, turns in self._waiting.items()
            if turns and self._taken[tenant] < self._most_each
        ]
        return min(entitled, key=lambda tenant: self._taken[tenant], default=None)
