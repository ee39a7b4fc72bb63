"""A variable that is edited while a root stage, prepared already, waits for its trigger's due."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from pydantic import JsonValue
from sqlalchemy import select
from sqlmodel import col
from temporalio.testing import ActivityEnvironment

from activities.attempt import Prepared
from activities.evaluator import Evaluator
from activities.repeating import Opened
from activities.runtime import Parts, Runtime
from activities.stage_runner import StageRunner
from activities.stages.catalogue import KINDS
from activities.stages.kind import StageError
from activities.work import Work
from cronny.egress_rules import Egress
from cronny.secrets import KeyRing, new_key
from cronny.store.actions import Actions
from cronny.store.database import Database
from cronny.store.tables import StageRow, TriggerRow
from cronny.store.tenants import Tenants
from cronny.store.variables import Variables
from tests.activities.samples import NOW, fire_for, read_action
from workflows.messages import StageCall

TEXT = """
version: 1
name: check_orders
stages: [{id: a, uses: set, with: {values: {region: "${{ vars.REGION }}"}}}]
"""
START = NOW + timedelta(minutes=1)


@dataclass
class Place:
    """A tenant with a trigger that is due."""

    database: Database
    runtime: Runtime
    tenant_id: str = ""
    action_id: str = ""
    prepared: list[JsonValue] = field(default_factory=list)

    async def set(self, value: JsonValue, at: datetime) -> None:
        async with self.database.write() as session:
            await Variables(session, self.tenant_id).save("REGION", value, at)

    async def output(self) -> JsonValue:
        async with self.database.read() as session:
            row = (await session.execute(select(StageRow).where(col(StageRow.stage_id) == "a"))).scalar_one()
        return row.output


class Interrupted(StageRunner):
    """A runner in whose pause between preparing and claiming somebody edits the variable."""

    def __init__(self, place: Place, value: JsonValue, at: datetime) -> None:
        super().__init__(place.runtime)
        self._place_, self._edit = place, (value, at)

    async def _prepare(self, work: Work) -> Prepared | Opened | StageError:
        prepared = await super()._prepare(work)
        if not self._place_.prepared:
            await self._place_.set(*self._edit)
        self._place_.prepared.append(work.outside["vars.REGION"])
        return prepared


@pytest.fixture
async def place(database: Database) -> AsyncIterator[Place]:
    evaluator = Evaluator()
    parts = Parts(database, evaluator, KeyRing(new_key()), KINDS, lambda: START, Egress())
    place = Place(database, Runtime(parts))
    model = read_action(TEXT).model_dump(mode="json", by_alias=True, exclude_unset=True)
    async with database.write() as session:
        tenant = await Tenants(session).add("acme", NOW)
        action, _ = await Actions(session, tenant).save("check_orders", TEXT, model, NOW)
        place.tenant_id, place.action_id = tenant.id, action.id
        session.add(TriggerRow(
            id="trg_1", tenant_id=tenant.id, action_id=action.id, action_version=1, due=NOW, inputs={},
            generation=1, allocated_at=NOW,
        ))  # fmt: skip
    await place.set("eu", NOW)
    yield place
    await evaluator.close()


@pytest.mark.parametrize(
    ("value", "at", "seen"),
    [
        ("us", START, ["eu", "us"]),
        ("us", START + timedelta(seconds=1), ["eu"]),
        ("eu", START, ["eu"]),
    ],
    ids=["before the start", "after the start", "to what it was"],
)
async def test_a_root_stage_sees_the_variables_of_the_start(
    place: Place, value: str, at: datetime, seen: list[str]
) -> None:
    fire = fire_for(action_id=place.action_id).model_copy(update={"allocated": NOW})
    call = StageCall(fire=fire, stage_id="a", run_id="run", is_root=True)
    result = await ActivityEnvironment().run(Interrupted(place, value, at).run_stage, call)
    assert (result.status, place.prepared) == ("completed", seen)
    assert await place.output() == {"region": seen[-1]}
