"""Containers that nobody waits for any more are removed, and no others."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from activities.reaper import Reaper
from activities.stages import docker_bodies
from activities.stages.docker_engine import EngineError
from activities.stages.docker_plan import LABEL, name_of
from cronny.metrics import Metrics
from cronny.store.database import Database
from cronny.store.tables import StageRow, StageState, TriggerState
from tests.servers.docker import Engine
from tests.store.samples import MINUTE, NOW, add, add_owner, executing

HOUR = timedelta(hours=1)


def labels(trigger_id: str, **changes: str) -> dict[str, str]:
    values = {
        "tenant": "acme",
        "trigger": trigger_id,
        "stage": "report",
        "key": f"{trigger_id}/report",
        "attempt": "1",
        "deadline": (NOW + HOUR).isoformat(),
        **changes,
    }
    return {LABEL + name: value for name, value in values.items()}


def leave(engine: Engine, found: Mapping[str, str], name: str | None = None) -> str:
    """Start a container that is labelled so, as a worker that is gone has left it; and its volume."""
    name = name or name_of(found[f"{LABEL}key"], found[f"{LABEL}attempt"])
    body = {"Image": "box:1", "Cmd": ["sleep", "600"], "Labels": found, "HostConfig": {"NetworkMode": "none"}}
    engine.ask("POST", "/containers/create", params={"name": name}, json=body)
    engine.ask("POST", f"/containers/{name}/start")
    volume = {"Name": f"{name}{docker_bodies.OUTPUTS}", "Labels": found}
    engine.ask("POST", "/volumes/create", json=volume)
    return name


async def reap(engine: Engine, database: Database, *, after: timedelta = timedelta()) -> int:
    """How many were removed by a round that much later."""
    metrics = Metrics()
    reaper = Reaper(database, lambda: NOW + after, engine.host, metrics)
    await asyncio.gather(reaper.round(engine.host), reaper.round(engine.host))
    return round(metrics.registry.get_sample_value("cronny_reaped_total") or 0)


@pytest.mark.parametrize(
    ("state", "stage", "is_removed"),
    [
        (TriggerState.EXECUTING, None, False),
        (TriggerState.EXECUTING, StageState.STARTED, False),
        (TriggerState.EXECUTING, StageState.COMPLETED, True),
        (TriggerState.EXECUTING, StageState.FAILED, True),
        (TriggerState.FAILED, StageState.STARTED, True),
        (TriggerState.CANCELLED, None, True),
    ],
)
async def test_a_container_goes_with_its_stage_and_with_its_trigger(
    engine: Engine, database: Database, state: TriggerState, stage: StageState | None, is_removed: bool
) -> None:
    row = executing(await add_owner(database), state=state)
    await add(database, row)
    if stage is not None:
        ended = None if stage is StageState.STARTED else NOW
        record = StageRow(
            trigger_id=row.id, stage_id="report", state=stage, started_at=NOW, finished_at=ended
        )
        await add(database, record)
    leave(engine, labels(row.id))
    await reap(engine, database)
    assert (engine.left() == []) == is_removed


async def test_a_container_is_removed_after_its_deadline_whoever_started_it(
    engine: Engine, database: Database
) -> None:
    leave(engine, labels("trg_of_another_installation"))
    assert await reap(engine, database, after=HOUR) == 0
    assert await reap(engine, database, after=HOUR + MINUTE) > 0
    assert engine.left() == []


async def test_what_is_left_of_a_container_that_is_gone_is_removed(
    engine: Engine, database: Database
) -> None:
    name = leave(engine, labels("trg_1"))
    engine.ask("DELETE", f"/containers/{name}", params={"force": "1"})
    await reap(engine, database, after=2 * HOUR)
    assert engine.left() == []


async def test_containers_of_others_are_left_alone(engine: Engine, database: Database) -> None:
    leave(engine, {}, "plain")
    leave(engine, labels("trg_1"), "with-labels-from-its-image")
    leave(engine, labels("trg_2", deadline="soon"), name_of("trg_2/report", 1))
    before = engine.left()
    assert (await reap(engine, database, after=2 * HOUR), engine.left()) == (0, before)


async def test_without_an_engine_there_is_nothing_to_do(database: Database) -> None:
    await Reaper(database, lambda: NOW, None).run()


async def test_an_engine_that_is_away_is_said(database: Database) -> None:
    with pytest.raises(EngineError, match="it cannot be reached"):
        await Reaper(database, lambda: NOW, "unix:///nowhere").round("unix:///nowhere")
