"""What the activities of a worker process share."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from pydantic import JsonValue

from activities.action_cache import ActionCache
from activities.blobs.keeping import Blobs
from activities.delays import Delays
from activities.evaluation import VALUE_LIMIT
from activities.evaluator import Evaluator
from activities.hold import Holds
from activities.live import LiveLogs
from activities.stages.kind import Kind
from activities.uses import UseLog
from cronny.batching import Batcher
from cronny.blobs import BlobStore, Nowhere
from cronny.clock import Clock
from cronny.egress_rules import Egress
from cronny.metrics import Metrics
from cronny.secrets import KeyRing
from cronny.store.attempts import find_attempt
from cronny.store.claims import CLAIM_CHUNK, Claim, Verdict, VerdictKind, claim
from cronny.store.database import Database
from cronny.store.ends import end_guarded, guarded_among
from cronny.store.guarded import GUARDED_CHUNK, claim_guarded
from cronny.store.item_tables import AttemptRow, ItemRow
from cronny.store.items import (
    ITEM_CHUNK,
    ItemKey,
    Result,
    add_items,
    begin_items,
    completed_items,
    keep_same_items,
    results_of,
)
from cronny.store.persist import persist
from cronny.store.records import (
    RECORD_CHUNK,
    Begin,
    StageEnd,
    TriggerEnd,
    TriggerRecords,
    begin_stages,
    end_stages,
    end_triggers,
    load_records,
)
from cronny.store.tables import TriggerRow

ROOM = 1000  # stages of one tenant that a process executes at once; what it merely holds takes no room


@dataclass(frozen=True)
class Parts:
    """The parts a runtime is put together from."""

    database: Database
    evaluator: Evaluator
    keyring: KeyRing
    kinds: Mapping[str, Kind]
    clock: Clock
    egress: Egress
    metrics: Metrics = field(default_factory=Metrics)
    outside_url: str = "http://127.0.0.1:8080"  #: Where links lead to.
    blobs: BlobStore = field(default_factory=Nowhere)  #: Where large values are kept.


class Runtime:
    """The parts, and the batched writes and reads on top of them."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.holds = Holds(parts.clock)
        self.uses = UseLog(parts.database, parts.clock)
        self.live = LiveLogs(parts.database, parts.clock)
        self.delays = Delays()
        self.blobs = Blobs(parts.database, parts.blobs, parts.clock)
        self.actions = ActionCache(parts.database, parts.kinds)
        self._rooms: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(ROOM))
        self._claims: Batcher[Claim, Verdict] = Batcher(self._claim, CLAIM_CHUNK)
        self._guarded_claims: Batcher[Claim, Verdict] = Batcher(self._claim_guarded, GUARDED_CHUNK)
        self.records: Batcher[str, TriggerRecords | None] = Batcher(self._load, RECORD_CHUNK)
        self.stage_starts: Batcher[Begin, TriggerRecords | None] = Batcher(self._start_stages, RECORD_CHUNK)
        self.item_starts: Batcher[ItemKey, ItemRow | None] = Batcher(self._start_items, RECORD_CHUNK)
        self.stage_ends: Batcher[StageEnd, None] = Batcher(self._end_stages, RECORD_CHUNK)
        self.trigger_ends: Batcher[TriggerEnd, tuple[str, ...]] = Batcher(self._end_triggers, RECORD_CHUNK)
        self.guarded_ends: Batcher[TriggerEnd, tuple[str, ...]] = Batcher(self._end_guarded, RECORD_CHUNK)

    def room(self, tenant: str) -> asyncio.Semaphore:
        """Entered by a stage of a tenant while it executes; waits while too many others do."""
        return self._rooms[tenant]

    async def claim(self, wish: Claim) -> Verdict:
        """The verdict on a claim; most are one statement, together with all that come due at once."""
        if wish.place is not None:
            return await self._guarded_claims.submit(wish)
        verdict = await self._claims.submit(wish)
        if verdict.kind is not VerdictKind.GUARDED:
            return verdict
        return await self._guarded_claims.submit(wish)

    async def add_items(self, trigger: TriggerRow, stage_id: str, values: Sequence[JsonValue]) -> None:
        """Write the records of a stage's items, unless they are there; a re-run has some of them already."""
        if trigger.rerun_of is not None:
            keep = partial(keep_same_items, trigger_id=trigger.id, stage_id=stage_id, values=values)
            await persist(self.parts.database, keep)
        for first in range(0, len(values), ITEM_CHUNK):
            chunk = values[first : first + ITEM_CHUNK]
            add = partial(add_items, trigger_id=trigger.id, stage_id=stage_id, values=chunk, first=first)
            await persist(self.parts.database, add)

    async def item_results(self, trigger: TriggerRow, stage_id: str) -> Sequence[Result]:
        """What became of a stage's items, in their order; raises StageError when it is too much."""
        async with self.parts.database.read() as session:
            results = await results_of(session, trigger.id, stage_id)
        return await self.blobs.filled(trigger.tenant_id, results, VALUE_LIMIT)

    async def done_items(self, trigger: TriggerRow, stage_id: str) -> list[JsonValue]:
        """What there is to undo of a stage's items, the last one first; raises StageError."""
        async with self.parts.database.read() as session:
            rows = await completed_items(session, trigger.id, stage_id)
        await self.blobs.fill(trigger.tenant_id, rows)
        return [{"item": row.value, "index": row.item, "output": row.output} for row in rows]

    async def failed_attempt(self, trigger_id: str, stage_id: str, attempt: int) -> AttemptRow | None:
        """What is known of an attempt that was tried again."""
        async with self.parts.database.read() as session:
            return await find_attempt(session, trigger_id, stage_id, attempt)

    async def _claim(self, claims: Sequence[Claim]) -> Sequence[Verdict]:
        self.parts.metrics.claims.observe(len(claims))
        return await persist(self.parts.database, lambda session: claim(session, claims, self.parts.clock()))

    async def _claim_guarded(self, claims: Sequence[Claim]) -> Sequence[Verdict]:
        database, clock = self.parts.database, self.parts.clock
        return await persist(database, lambda session: claim_guarded(session, claims, clock()))

    async def _load(self, ids: Sequence[str]) -> Sequence[TriggerRecords | None]:
        async with self.parts.database.read() as session:
            found = await load_records(session, ids)
        return [found.get(trigger_id) for trigger_id in ids]

    async def _start_stages(self, begins: Sequence[Begin]) -> Sequence[TriggerRecords | None]:
        database, clock = self.parts.database, self.parts.clock
        return await persist(database, lambda session: begin_stages(session, begins, clock()))

    async def _start_items(self, keys: Sequence[ItemKey]) -> Sequence[ItemRow | None]:
        database, clock = self.parts.database, self.parts.clock
        return await persist(database, lambda session: begin_items(session, keys, clock()))

    async def _end_stages(self, ends: Sequence[StageEnd]) -> Sequence[None]:
        await persist(self.parts.database, lambda session: end_stages(session, ends))
        return [None] * len(ends)

    async def _end_triggers(self, ends: Sequence[TriggerEnd]) -> Sequence[tuple[str, ...]]:
        """End triggers for which nobody waits; those that turn out to be guarded as such."""
        async with self.parts.database.read() as session:
            known = await guarded_among(session, [end.trigger_id for end in ends])
        plain = [end for end in ends if end.trigger_id not in known]
        self._count(plain)
        if plain:
            now = self.parts.clock
            await persist(self.parts.database, lambda session: end_triggers(session, plain, now()))
        guarded = [end for end in ends if end.trigger_id in known]
        told = await self._end_guarded(guarded) if guarded else ()
        of = {end.trigger_id: one for end, one in zip(guarded, told, strict=True)}
        return [of.get(end.trigger_id, ()) for end in ends]

    async def _end_guarded(self, ends: Sequence[TriggerEnd]) -> Sequence[tuple[str, ...]]:
        self._count(ends)
        database, clock = self.parts.database, self.parts.clock
        return await persist(database, lambda session: end_guarded(session, ends, clock()))

    def _count(self, ends: Sequence[TriggerEnd]) -> None:
        for end in ends:
            self.parts.metrics.triggers.labels(end.state.value).inc()
