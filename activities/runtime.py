"""What the activities of a worker process share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from activities.action_cache import ActionCache
from activities.evaluator import Evaluator
from activities.hold import Holds
from activities.stages.kind import Kind
from activities.uses import UseLog
from cronny.batching import Batcher
from cronny.clock import Clock
from cronny.egress import EgressPolicy
from cronny.metrics import Metrics
from cronny.secrets import KeyRing
from cronny.store.claims import CLAIM_CHUNK, Claim, Verdict, VerdictKind, claim
from cronny.store.database import Database
from cronny.store.ends import end_guarded
from cronny.store.guarded import GUARDED_CHUNK, claim_guarded
from cronny.store.persist import persist
from cronny.store.records import (
    RECORD_CHUNK,
    StageEnd,
    TriggerEnd,
    TriggerRecords,
    begin_stages,
    end_stages,
    end_triggers,
    load_records,
)

_StageKey = tuple[str, str]  # a trigger's id and a stage's


@dataclass(frozen=True)
class Parts:
    """The parts a runtime is put together from."""

    database: Database
    evaluator: Evaluator
    keyring: KeyRing
    kinds: Mapping[str, Kind]
    clock: Clock
    egress: EgressPolicy
    metrics: Metrics = field(default_factory=Metrics)


class Runtime:
    """The parts, and the batched writes and reads on top of them."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.holds = Holds(parts.clock)
        self.uses = UseLog(parts.database, parts.clock)
        self.actions = ActionCache(parts.database, parts.kinds)
        self._claims: Batcher[Claim, Verdict] = Batcher(self._claim, CLAIM_CHUNK)
        self._guarded_claims: Batcher[Claim, Verdict] = Batcher(self._claim_guarded, GUARDED_CHUNK)
        self.records: Batcher[str, TriggerRecords | None] = Batcher(self._load, RECORD_CHUNK)
        self.stage_starts: Batcher[_StageKey, TriggerRecords | None] = Batcher(
            self._start_stages, RECORD_CHUNK
        )
        self.stage_ends: Batcher[StageEnd, None] = Batcher(self._end_stages, RECORD_CHUNK)
        self.trigger_ends: Batcher[TriggerEnd, None] = Batcher(self._end_triggers, RECORD_CHUNK)
        self.guarded_ends: Batcher[TriggerEnd, str] = Batcher(self._end_guarded, RECORD_CHUNK)

    async def claim(self, wish: Claim) -> Verdict:
        """The verdict on a claim; most are one statement, together with all that come due at once."""
        verdict = await self._claims.submit(wish)
        if verdict.kind is not VerdictKind.GUARDED:
            return verdict
        return await self._guarded_claims.submit(wish)

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

    async def _start_stages(self, stages: Sequence[_StageKey]) -> Sequence[TriggerRecords | None]:
        database, clock = self.parts.database, self.parts.clock
        found = await persist(database, lambda session: begin_stages(session, stages, clock()))
        return [found.get(trigger_id) for trigger_id, _ in stages]

    async def _end_stages(self, ends: Sequence[StageEnd]) -> Sequence[None]:
        await persist(self.parts.database, lambda session: end_stages(session, ends))
        return [None] * len(ends)

    async def _end_triggers(self, ends: Sequence[TriggerEnd]) -> Sequence[None]:
        self._count(ends)
        await persist(self.parts.database, lambda session: end_triggers(session, ends, self.parts.clock()))
        return [None] * len(ends)

    async def _end_guarded(self, ends: Sequence[TriggerEnd]) -> Sequence[str]:
        self._count(ends)
        database, clock = self.parts.database, self.parts.clock
        return await persist(database, lambda session: end_guarded(session, ends, clock()))

    def _count(self, ends: Sequence[TriggerEnd]) -> None:
        for end in ends:
            self.parts.metrics.triggers.labels(end.state.value).inc()
