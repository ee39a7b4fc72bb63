"""The open streams of one process: how many there may be, and when they end."""

from collections import Counter
from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.follow.watch import EVERY, Watch
from cronny.errors import TooMany
from cronny.store.database import Database

MOST_OF_KEY = 20  # streams at once; a browser has six connections to a server in all
MOST_OF_TENANT = 100


class EventStream(StreamingResponse):
    """Server-Sent Events that no proxy holds back."""

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncIterator[str], release: Callable[[], None], status_code: int = 200
    ) -> None:
        super().__init__(
            events,
            status_code,
            headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"},
        )
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events; whoever leaves, even before the first one, gives the place back."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()


class Streams:
    """Who follows what at present."""

    def __init__(self, database: Database, every: float = EVERY) -> None:
        self.watch = Watch(database, every)
        self.is_closed = False
        self._open: Counter[tuple[str, ...]] = Counter()

    def enter(self, tenant: str, key: str) -> Callable[[], None]:
        """Take a place, which is given back by what is returned; raises TooMany."""
        if self._open[tenant, key] >= MOST_OF_KEY:
            raise TooMany(
                f"this API key has {MOST_OF_KEY} open streams, the most it may have; close one first"
            )
        if self._open[(tenant,)] >= MOST_OF_TENANT:
            raise TooMany(
                f"the tenant has {MOST_OF_TENANT} open streams, the most it may have; close one first"
            )
        places: list[tuple[str, ...]] = [(tenant, key), (tenant,)]
        self._open.update(places)

        def leave() -> None:
            self._open.subtract(places)
            places.clear()
            self._open = +self._open

        return leave

    @property
    def count(self) -> int:
        """How many are open."""
        return sum(number for place, number in self._open.items() if len(place) == 1)

    def close(self) -> None:
        """End every stream; who follows comes back, to another server."""
        self.is_closed = True
        self.watch.wake()
        self.watch.close()
