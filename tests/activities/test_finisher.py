from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import JsonValue
from sqlalchemy import select

from activities.evaluator import Evaluator
from activities.finisher import Finisher
from activities.runtime import Parts, Runtime
from activities.stages.catalogue import KINDS
from cronny.egress_rules import Egress
from cronny.secrets import KeyRing, new_key
from cronny.store.database import Database
from cronny.store.migrate import upgrade
from cronny.store.records import load_records
from cronny.store.tables import (
    ActionRow,
    ActionVersion,
    StageRow,
    StageState,
    Tenant,
    TriggerRow,
    TriggerState,
)
from tests.activities.samples import NOW, fire_for, load, read_action
from workflows.messages import Settlement

ACTION = """
version: 1
name: check_orders
stages:
  - {id: a, uses: set, with: {values: {x: 1}}}
  - {id: b, uses: set, with: {values: {x: 1}}}
OUTPUTS
"""


@dataclass
class Ledger:
    """A database with one trigger that run `run_1` has claimed, and the finisher on it."""

    database: Database
    finisher: Finisher

    async def add(self, outputs: str = "", state: TriggerState = TriggerState.EXECUTING) -> None:
        text = ACTION.replace("OUTPUTS", outputs)
        model = read_action(text).model_dump(mode="json", by_alias=True, exclude_unset=True)
        async with self.database.write() as session:
            session.add(Tenant(id="ten_1", slug="acme", created_at=NOW))
            await session.flush()
            session.add(
                ActionRow(
                    id="act_1",
                    tenant_id="ten_1",
                    name="check_orders",
                    version=1,
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
            await session.flush()
            session.add(ActionVersion(action_id="act_1", version=1, source=text, model=model, created_at=NOW))
            session.add(
                TriggerRow(
                    id="trg_1", tenant_id="ten_1", action_id="act_1", action_version=1, due=NOW, inputs={},
                    allocated_at=NOW, state=state,
                    run_id="run_1" if state is TriggerState.EXECUTING else "",
                )
            )  # fmt: skip

    async def add_stage(
        self, stage: str, state: StageState, output: JsonValue, error: JsonValue = None
    ) -> None:
        async with self.database.write() as session:
            session.add(
                StageRow(
                    trigger_id="trg_1", stage_id=stage, state=state, started_at=NOW, finished_at=NOW,
                    output=output, error=error,
                )
            )  # fmt: skip

    async def settle(self, status: str, run_id: str = "run_1", **fields: JsonValue) -> TriggerRow | None:
        """The ledger row after `finish`."""
        wish = {"fire": fire_for(), "run_id": run_id, "status": status, **fields}
        await self.finisher.finish(Settlement.model_validate(wish))
        async with self.database.read() as session:
            found = (await load_records(session, ["trg_1"])).get("trg_1")
        return found.trigger if found is not None else None

    async def skipped(self) -> list[str]:
        async with self.database.read() as session:
            rows = (await session.execute(select(StageRow))).scalars()
            return [row.stage_id for row in rows if row.state is StageState.SKIPPED]


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    url = f"sqlite+aiosqlite:///{tmp_path}/cronny.db"
    upgrade(url)
    database, evaluator = Database(url), Evaluator()
    parts = Parts(database, evaluator, KeyRing(new_key()), KINDS, lambda: NOW, Egress())
    yield Ledger(database, Finisher(Runtime(parts)))
    await evaluator.close()
    await database.close()


def _end(row: TriggerRow | None) -> tuple[str, str, JsonValue, JsonValue]:
    assert row is not None
    return row.state.value, row.reason, row.outputs, row.error


async def test_the_plan_is_that_of_the_fires_version(ledger: Ledger) -> None:
    await ledger.add()
    assert await ledger.finisher.load_plan(fire_for()) == load(ACTION.replace("OUTPUTS", "")).plan


async def test_a_completed_trigger_has_its_outputs(ledger: Ledger) -> None:
    await ledger.add("outputs: {y: '${{ stages.a.output.x + 1 }}'}")
    await ledger.add_stage("a", StageState.COMPLETED, {"x": 1})
    assert _end(await ledger.settle("completed")) == ("completed", "", {"y": 2}, None)


async def test_an_action_without_outputs_has_none(ledger: Ledger) -> None:
    await ledger.add()
    assert _end(await ledger.settle("completed")) == ("completed", "", None, None)


async def test_outputs_that_cannot_be_evaluated_fail_the_trigger(ledger: Ledger) -> None:
    await ledger.add("outputs: {y: '${{ stages.a.output.x + 1 }}'}")
    await ledger.add_stage("a", StageState.COMPLETED, {"z": 1})
    state, reason, outputs, error = _end(await ledger.settle("completed"))
    assert (state, reason, outputs) == ("failed", "outputs_failed", None)
    assert isinstance(error, dict)
    assert error["code"] == "expression"


async def test_a_failed_trigger_tells_the_error_of_its_first_failed_stage(ledger: Ledger) -> None:
    await ledger.add()
    await ledger.add_stage("a", StageState.FAILED, None, {"code": "timeout", "message": "late"})
    row = await ledger.settle("failed", failed=["a", "b"])
    error = {"stage": "a", "code": "timeout", "message": "late"}
    assert _end(row) == ("failed", "stage_failed", None, error)


async def test_a_stage_that_left_no_error_is_named_all_the_same(ledger: Ledger) -> None:
    await ledger.add()
    _, _, _, error = _end(await ledger.settle("failed", failed=["a"]))
    assert error == {"stage": "a", "code": "internal", "message": "the stage could not be executed"}


async def test_a_cancelled_trigger_says_that_it_was_asked_for(ledger: Ledger) -> None:
    await ledger.add()
    await ledger.add_stage("a", StageState.FAILED, None, {"code": "timeout"})
    row = await ledger.settle("cancelled", failed=["a"])
    assert _end(row) == ("cancelled", "requested", None, {"stage": "a", "code": "timeout"})


async def test_stages_that_never_became_ready_are_recorded_once(ledger: Ledger) -> None:
    await ledger.add()
    for _ in range(2):
        await ledger.settle("failed", failed=["a"], skipped=["b"])
    assert await ledger.skipped() == ["b"]


@pytest.mark.parametrize("state", [TriggerState.SCHEDULED, TriggerState.EXECUTING])
async def test_a_run_that_did_not_claim_the_trigger_settles_nothing(
    ledger: Ledger, state: TriggerState
) -> None:
    """Else another run would find its stages skipped."""
    await ledger.add(state=state)
    row = await ledger.settle("cancelled", "run_2", skipped=["b"])
    assert (_end(row)[0], await ledger.skipped()) == (state.value, [])


@pytest.mark.parametrize("status", ["completed", "failed"])
async def test_a_trigger_that_was_purged_is_settled_in_peace(ledger: Ledger, status: str) -> None:
    await ledger.add("outputs: {y: '${{ stages.a.output.x + 1 }}'}")
    async with ledger.database.write() as session:
        await session.delete(await session.get_one(TriggerRow, "trg_1"))
    failed: JsonValue = ["a"] if status == "failed" else []
    assert await ledger.settle(status, failed=failed, skipped=["b"]) is None
    assert await ledger.skipped() == []


async def test_what_was_not_undone_is_the_reason(ledger: Ledger) -> None:
    await ledger.add()
    await ledger.add_stage("a", StageState.FAILED, None, {"code": "timeout"})
    row = await ledger.settle("failed", failed=["a"], not_undone=["b"])
    error = {"stage": "a", "code": "timeout", "not_undone": ["b"]}
    assert _end(row) == ("failed", "undo_failed", None, error)


async def test_what_was_left_open_ends_with_its_trigger(ledger: Ledger) -> None:
    await ledger.add()
    async with ledger.database.write() as session:
        session.add(StageRow(trigger_id="trg_1", stage_id="a", state=StageState.STARTED, started_at=NOW))
    await ledger.settle("cancelled", stopped=["a"])
    async with ledger.database.read() as session:
        (row,) = (await session.execute(select(StageRow))).scalars()
    assert (row.state, row.error) == (
        StageState.FAILED,
        {"code": "cancelled", "message": "the trigger was cancelled"},
    )


@pytest.mark.parametrize(("output", "answer"), [({"x": 1}, True), ({"z": 1}, False)])
async def test_outputs_are_tried_before_what_follows(ledger: Ledger, output: JsonValue, answer: bool) -> None:
    await ledger.add("outputs: {y: '${{ stages.a.output.x + 1 }}'}")
    await ledger.add_stage("a", StageState.COMPLETED, output)
    settlement = Settlement(fire=fire_for(), run_id="run_1", status="completed")
    assert await ledger.finisher.try_outputs(settlement) is answer
    state, reason, outputs, error = _end(await ledger.settle("completed" if answer else "failed"))
    assert (state, outputs) == (("completed", {"y": 2}) if answer else ("failed", None))
    assert (reason, error is None) == ("" if answer else "outputs_failed", answer)
