"""The reaper: containers that nobody waits for any more are removed, with what belongs to them."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from activities.stages.docker_bodies import FED, HOLDER, KEPT, OUTPUTS
from activities.stages.docker_engine import Engine, EngineError, engine_at, filters
from activities.stages.docker_life import remove
from activities.stages.docker_plan import LABEL, name_of
from cronny.clock import Clock
from cronny.errors import Unavailable
from cronny.metrics import Metrics
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.records import TriggerRecords, load_records
from cronny.store.tables import TriggerState

ROUND = timedelta(seconds=15)  # between two looks
BATCH = 200  # triggers in one query
OPEN = (TriggerState.SCHEDULED, TriggerState.EXECUTING)

log = logging.getLogger("cronny.reaper")


@dataclass(frozen=True)
class Found:
    """A container on the Engine, or a volume of one, as its labels describe it."""

    name: str  #: Of the container.
    trigger_id: str
    stage_id: str
    deadline: datetime

    def is_over(self, records: TriggerRecords | None, now: datetime) -> bool:
        """Whether nobody can still wait for it; of a trigger that is not known, only the deadline says so."""
        if now > self.deadline:
            return True
        if records is None:  # Another installation may use the same Engine.
            return False
        stage = records.stages.get(self.stage_id)
        return records.trigger.state not in OPEN or (stage is not None and stage.finished_at is not None)


class Reaper:
    """One loop in each worker process that has an Engine; each looks after its own, which may be the same."""

    def __init__(
        self, database: Database, clock: Clock, host: str | None, metrics: Metrics | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._host = host
        self._metrics = metrics or Metrics()

    async def run(self) -> None:
        """Look and remove until cancelled; without an Engine there is nothing to do."""
        while self._host is not None:
            try:
                await self.round(self._host)
            except Exception as error:  # whatever it was, the next round may succeed
                is_known = isinstance(error, EngineError) or isinstance(meaning_of(error), Unavailable)
                fields = {"reason": str(error)}
                log.warning("no containers were removed", exc_info=None if is_known else error, extra=fields)
            await asyncio.sleep(ROUND.total_seconds())

    async def round(self, host: str) -> None:
        """Look once; raises EngineError."""
        async with engine_at(host) as engine:
            found = {one.name: one for one in await _found(engine)}
            records = await self._records(sorted({one.trigger_id for one in found.values()}))
            now = self._clock()
            for one in found.values():
                if one.is_over(records.get(one.trigger_id), now):
                    await self._remove(engine, one)

    async def _records(self, ids: Sequence[str]) -> Mapping[str, TriggerRecords]:
        known: dict[str, TriggerRecords] = {}
        for start in range(0, len(ids), BATCH):
            async with self._database.read() as session:
                known |= await load_records(session, ids[start : start + BATCH])
        return known

    async def _remove(self, engine: Engine, one: Found) -> None:
        try:
            await remove(engine, one.name)
        except EngineError as error:
            if error.status not in (404, 409):  # Its worker is removing it at this moment.
                raise
            return
        self._metrics.reaped.inc()
        log.info("removed a container", extra={"trigger": one.trigger_id, "stage": one.stage_id})


async def _found(engine: Engine) -> Sequence[Found]:
    wanted = filters(label=[f"{LABEL}key"])
    containers = await engine.get("/containers/json", all="1", filters=wanted)
    volumes = (await engine.get("/volumes", filters=wanted))["Volumes"] or ()
    return [
        *_described((each["Names"], each["Labels"]) for each in containers),
        *_described(([each["Name"]], each["Labels"]) for each in volumes),
    ]


def _described(things: "Iterator[tuple[Sequence[str], Mapping[str, Any]]]") -> Iterator[Found]:
    """What is Cronny's; an image may bear its labels too, but nobody else's container has their name."""
    for names, labels in things:
        try:
            name = name_of(labels[f"{LABEL}key"], labels[f"{LABEL}attempt"])
            deadline = datetime.fromisoformat(labels[f"{LABEL}deadline"])
            found = Found(name, labels[f"{LABEL}trigger"], labels[f"{LABEL}stage"], deadline)
        except (LookupError, ValueError):
            continue
        own = {f"{name}{ending}" for ending in ("", HOLDER, OUTPUTS, KEPT, FED)}
        if deadline.tzinfo is not None and own.intersection(each.lstrip("/") for each in names):
            yield found
