"""The purger: what tenants don't keep any longer is deleted, a little at a time."""

import asyncio
import logging
from datetime import datetime, timedelta

from cronny.blobs import BlobStore, Nowhere
from cronny.clock import Clock
from cronny.errors import Unavailable
from cronny.metrics import Metrics
from cronny.store.blobs import forget_blobs, garbage
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.live import purge_live
from cronny.store.purge import purge_batch
from cronny.store.tables import Tenant
from cronny.store.tenants import Tenants
from cronny.store.variables import purge_values
from cronny.store.watch import take_lease

ROUND = timedelta(seconds=15)  # between two rounds
LEASE = timedelta(seconds=60)  # another worker takes over after this
BLOBS = 500  # large values that are deleted in one round
BATCHES = 100  # of one tenant in one round: more than a machine can add meanwhile
PAUSE = timedelta(milliseconds=20)  # between two batches, in which others write
REST = timedelta(minutes=10)  # before a tenant of whom nothing is left is looked at again

log = logging.getLogger("cronny.purger")


class Purger:
    """One loop in each worker process; the one that has the lease deletes."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        name: str,
        metrics: Metrics | None = None,
        blobs: BlobStore | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._metrics = metrics or Metrics()
        self._blobs = blobs or Nowhere()
        self._rests: dict[str, datetime] = {}  # until when, by tenant

    async def run(self) -> None:
        """Purge until cancelled."""
        while True:
            try:
                await self.round()
            except Exception as error:  # whatever it was, the next round may succeed
                is_known = isinstance(meaning_of(error), Unavailable)
                fields = {"reason": str(error)}
                log.warning("nothing was purged", exc_info=None if is_known else error, extra=fields)
            await asyncio.sleep(ROUND.total_seconds())

    async def round(self) -> None:
        """Purge once of every tenant that is not at rest."""
        now = self._clock()
        async with self._database.write() as session:
            if not await take_lease(session, "purge", self._name, now, LEASE):
                return
        async with self._database.read() as session:
            tenants = await Tenants(session).all()
        async with self._database.write() as session:
            await purge_live(session, now)
        self._rests = {name: end for name, end in self._rests.items() if end > now}
        for tenant in tenants:
            if tenant.id not in self._rests and await self._purge(tenant, now):
                self._rests[tenant.id] = now + REST
        await self._delete_blobs()

    async def _delete_blobs(self) -> None:
        """Delete the large values that nobody keeps; what cannot be deleted now is tried again."""
        async with self._database.read() as session:
            places = await garbage(session, BLOBS)
        for place in places:
            await self._blobs.delete(place)
        if places:
            async with self._database.write() as session:
                await forget_blobs(session, places)
            self._metrics.purged.labels("blob").inc(len(places))

    async def _purge(self, tenant: Tenant, now: datetime) -> bool:
        """Whether nothing is left."""
        triggers, events, longest = 0, 0, timedelta()
        for _ in range(BATCHES):
            batch = await purge_batch(self._database, tenant, now)
            triggers, events = triggers + batch.triggers, events + batch.events
            longest = max(longest, batch.held)
            self._metrics.purged.labels("trigger").inc(batch.triggers)
            self._metrics.purged.labels("event").inc(batch.events)
            if batch.is_last:
                break
            await asyncio.sleep(PAUSE.total_seconds())
        values = await purge_values(self._database, tenant, now)
        self._metrics.purged.labels("variable_value").inc(values)
        if triggers or events:
            fields = {"tenant": tenant.slug, "triggers": triggers, "events": events}
            log.info("purged", extra={**fields, "longest_ms": round(longest / timedelta(milliseconds=1), 1)})
        return batch.is_last and not values
