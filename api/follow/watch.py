"""Looks at the triggers that anybody follows: once a second for all of a tenant together."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.following import Sighting, Step, sightings
from cronny.store.live import Unit

EVERY = 1.0  # seconds between two looks
MOST = 100  # triggers of one look at the database

log = logging.getLogger("api.follow")


@dataclass(eq=False)
class Followed:
    """A trigger that somebody follows; `seen` is None when there is none any more."""

    tenant_id: str
    seen: Sighting | None = None
    number: int = 0  #: Of the look, from 1.
    readers: int = 0
    known: dict[Unit, Step] = field(default_factory=dict)  #: Stages that have finished.
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def later(self, number: int) -> int:
        """Return once there was a look after that one; the number of the latest."""
        while self.number <= number:
            await self._changed.wait()
        return self.number

    def show(self, seen: Sighting | None) -> None:
        """Have every reader see it."""
        self.seen = seen
        self.known = {step.unit: step for step in seen.steps if step.finished is not None} if seen else {}
        self.wake()

    def wake(self) -> None:
        """Let every reader look again."""
        self.number += 1
        self._changed.set()
        self._changed = asyncio.Event()


class Watch:
    """The triggers that are followed in this process."""

    def __init__(self, database: Database, every: float = EVERY) -> None:
        self._database = database
        self._every = every
        self._followed: dict[str, Followed] = {}
        self._loop: asyncio.Task[None] | None = None
        self._is_new = asyncio.Event()

    @asynccontextmanager
    async def follow(self, tenant_id: str, trigger_id: str) -> AsyncIterator[Followed]:
        """Have a trigger looked at for as long as the block lasts."""
        followed = self._followed.setdefault(trigger_id, Followed(tenant_id))
        followed.readers += 1
        self._is_new.set()
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._watch())
        try:
            yield followed
        finally:
            followed.readers -= 1
            if followed.readers == 0:
                self._followed.pop(trigger_id, None)

    def wake(self) -> None:
        """Let every reader look again, as something else has changed."""
        for followed in self._followed.values():
            followed.wake()

    def close(self) -> None:
        """Look no more."""
        if self._loop is not None:
            self._loop.cancel()

    async def _watch(self) -> None:
        while self._followed:
            self._is_new.clear()
            for tenant_id, ids in self._by_tenant().items():
                for first in range(0, len(ids), MOST):
                    await self._look(tenant_id, ids[first : first + MOST])
            try:
                await asyncio.wait_for(self._is_new.wait(), self._every)
            except TimeoutError:
                continue

    def _by_tenant(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for trigger_id, followed in self._followed.items():
            found.setdefault(followed.tenant_id, []).append(trigger_id)
        return found

    async def _look(self, tenant_id: str, ids: Sequence[str]) -> None:
        known = {
            unit: step
            for id_ in ids
            if id_ in self._followed
            for unit, step in self._followed[id_].known.items()
        }
        try:
            async with self._database.for_tenant(tenant_id).read() as session:
                seen = await sightings(session, ids, known)
        except Exception as error:  # Who follows waits; the next look may succeed.
            is_known = meaning_of(error) is not None
            log.warning("triggers cannot be followed", exc_info=None if is_known else error)
            return
        for id_ in ids:
            if id_ in self._followed:
                self._followed[id_].show(seen.get(id_))
