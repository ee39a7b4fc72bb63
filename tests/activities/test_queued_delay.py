"""A trigger that waits for others says nothing of how busy its tenant's workers are."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.evaluator import Evaluator
from activities.runtime import Parts, Runtime
from activities.stage_runner import StageRunner
from activities.stages.catalogue import KINDS
from cronny.egress_rules import Egress
from cronny.secrets import KeyRing, new_key
from cronny.store.actions import Actions
from cronny.store.database import Database
from cronny.store.migrate import upgrade
from cronny.store.tables import TriggerRow, TriggerState
from cronny.store.tenants import Tenants
from tests.activities.samples import NOW, fire_for, read_action
from workflows.messages import StageCall

TEXT = """
version: 1
name: check_orders
concurrency: 1
stages: [{id: a, uses: set, with: {values: {}}}]
"""
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    url = f"sqlite+aiosqlite:///{tmp_path}/cronny.db"
    upgrade(url)
    database, evaluator = Database(url), Evaluator()
    parts = Parts(database, evaluator, KeyRing(new_key()), KINDS, lambda: LATER, Egress())
    yield Runtime(parts)
    await evaluator.close()
    await database.close()


async def add(database: Database, reason: str) -> str:
    """An action with a trigger that executes and one that is due; the action's id."""
    model = read_action(TEXT).model_dump(mode="json", by_alias=True, exclude_unset=True)
    async with database.write() as session:
        tenant = await Tenants(session).add("acme", NOW)
        action, _ = await Actions(session, tenant).save("check_orders", TEXT, model, NOW)
        common: dict[str, Any] = {
            "tenant_id": tenant.id, "action_id": action.id, "action_version": 1, "due": NOW, "inputs": {},
            "generation": 1, "allocated_at": NOW, "is_guarded": True, "concurrency_key": "",
            "concurrency_limit": 1,
        }  # fmt: skip
        running = TriggerRow(id="trg_0", state=TriggerState.EXECUTING, run_id="other", **common)
        session.add_all([running, TriggerRow(id="trg_1", reason=reason, **common)])
        return action.id


@pytest.mark.parametrize(("reason", "slow"), [("", {"acme"}), ("concurrency", set())])
async def test_asking_again_is_no_delay(runtime: Runtime, reason: str, slow: set[str]) -> None:
    action_id = await add(runtime.parts.database, reason)
    fire = fire_for(action_id=action_id).model_copy(update={"allocated": NOW})
    call = StageCall(fire=fire, stage_id="a", run_id="run", is_root=True)
    result = await ActivityEnvironment().run(StageRunner(runtime).run_stage, call)
    assert (result.status, set(runtime.delays.slow(LATER))) == ("queued", slow)
