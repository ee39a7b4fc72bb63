import pytest

from activities.scope import Ended, Sight, sight_of
from cronny.store.records import TriggerRecords
from cronny.store.tables import StageRow, StageState, TriggerRow
from dsl.scopes import SITUATIONS, Situation
from tests.activities.samples import NOW, fire_for, load

ACTION = load("""
version: 1
name: check_orders
inputs: {region: {default: eu}}
stages:
  - {id: a, uses: set, with: {values: {x: 1}}}
  - {id: b, uses: set, with: {values: {x: 1}}}
""")
ROW = TriggerRow(
    id="trg_1", tenant_id="ten_1", action_id="act_1", action_version=1, due=NOW,
    inputs={"region": "us"}, allocated_at=NOW,
)  # fmt: skip


def _record(stage: str, state: StageState, *, has_ended: bool = True) -> StageRow:
    return StageRow(
        trigger_id="trg_1", stage_id=stage, state=state, attempt=2, started_at=NOW,
        finished_at=NOW if has_ended else None, output={"x": 1}, error={"code": "timeout"},
    )  # fmt: skip


def _sight(*records: StageRow) -> Sight:
    return sight_of(ACTION, fire_for(), TriggerRecords(ROW, {record.stage_id: record for record in records}))


def test_a_stage_sees_the_inputs_and_its_trigger() -> None:
    assert _sight().variables == {
        "inputs.region": "us",
        "trigger.id": "trg_1",
        "trigger.due": "2026-11-24T09:00:00Z",
        "trigger.number": 1,
        "trigger.action": "check_orders",
        "trigger.schedule": "hourly",
    }


@pytest.mark.parametrize("state", [StageState.COMPLETED, StageState.FAILED, StageState.SKIPPED])
def test_a_stage_that_has_ended_is_seen(state: StageState) -> None:
    seen = _sight(_record("a", state)).variables
    assert {name: value for name, value in seen.items() if name.startswith("stages.")} == {
        "stages.a.output": {"x": 1},
        "stages.a.error": {"code": "timeout"},
        "stages.a.status": state.value,
        "stages.a.attempts": 2,
    }


def test_a_stage_that_is_under_way_is_not_seen() -> None:
    assert _sight(_record("a", StageState.STARTED, has_ended=False)) == _sight()


def test_a_result_of_this_moment_covers_the_record() -> None:
    sight = _sight(_record("a", StageState.FAILED)).with_stage("a", Ended("completed", 7, None, 3))
    assert (sight.variables["stages.a.output"], sight.variables["stages.a.error"]) == (7, None)


def test_a_place_adds_its_own_names() -> None:
    view = _sight().with_input({"y": 1}).at("connector", output=5, error=None, attempt=1)
    assert view.variables == {
        **_sight().variables, "input": {"y": 1}, "output": 5, "error": None, "attempt": 1,
    }  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_variable_has_a_type_in_every_situation(situation: Situation) -> None:
    view = _sight(_record("a", StageState.COMPLETED)).at(situation)
    assert view.variables.keys() <= view.scope.types.keys()
