from typing import Any

import pytest

from activities.scope import Ended
from activities.work import LOST, Work, error_of
from cronny.store.item_tables import AttemptRow, ItemRow
from cronny.store.records import TriggerRecords
from cronny.store.tables import StageRow, StageState, TriggerRow
from tests.activities.samples import NOW, fire_for, load
from workflows.messages import Branch, Outcome, StageCall

ACTION = load("""
version: 1
name: trial
stages:
  - {id: a, uses: http, with: {url: x}, retry: {}, undo: {uses: http, with: {url: "${{ output.id }}"}}}
  - {id: b, uses: http, with: {url: x}}
  - {id: each, uses: http, foreach: [1, 2], item_as: order, with: {url: "${{ order }}"}}
  - {id: note, uses: http, with: {url: x}}
  - {id: more, uses: http, with: {url: "${{ stages.note.output }}"}}
connectors:
  - {from: a, to: b}
  - {from: b, to: each}
  - {from: a, to: note, on: retry}
  - {from: note, to: more}
on_error:
  - {id: page, uses: http, with: {url: "${{ stages.a.status }}${{ stages.b.status }}"}}
""")
ROW = TriggerRow(
    id="trg_1", tenant_id="ten_1", action_id="act_1", action_version=1, due=NOW, inputs={}, allocated_at=NOW
)


def record(stage: str, output: Any = None, error: Any = None) -> StageRow:
    state = StageState.FAILED if error else StageState.COMPLETED
    return StageRow(
        trigger_id="trg_1", stage_id=stage, state=state, attempt=2, started_at=NOW, finished_at=NOW,
        output=output, error=error,
    )  # fmt: skip


def work(stage: str, *records: StageRow, more: dict[str, Any] | None = None, **call: Any) -> Work:
    found = TriggerRecords(ROW, {row.stage_id: row for row in records})
    wish = StageCall(fire=fire_for(), stage_id=stage, run_id="run", **call)
    return Work(wish, ACTION, found, **(more or {}))


def seen(found: Work) -> dict[str, Any]:
    """What it sees besides what every stage sees."""
    view = found.sight.at("outputs")
    assert view.variables.keys() <= view.scope.types.keys()
    return {name: value for name, value in view.variables.items() if not name.startswith("trigger.")}


def test_an_item_sees_itself_and_has_a_key_of_its_own() -> None:
    item = ItemRow(trigger_id="trg_1", stage_id="each", item=1, value={"id": 7}, attempt=3)
    found = work("each", item=1, more={"item": item})
    assert seen(found) == {"order": {"id": 7}, "index": 1}
    assert (found.idempotency_key, found.attempt, found.is_opening) == ("trg_1/each/1", 3, False)


def test_a_stage_of_items_is_opened_first() -> None:
    assert [work("each").is_opening, work("a").is_opening] == [True, False]


def test_what_undoes_a_stage_sees_its_output() -> None:
    found = work("a.undo", record("a", {"id": 7}), outcome=Outcome(status="failed"))
    assert seen(found)["output"] == {"id": 7}
    assert found.idempotency_key == "trg_1/a.undo"


def test_a_handler_sees_how_the_trigger_ended() -> None:
    outcome = Outcome(status="failed", failed=("a",), not_undone=("b",))
    found = seen(work("page", record("a", error={"code": "dns"}), outcome=outcome))
    assert found["error"] == {"stage": "a", "code": "dns", "not_undone": ["b"]}
    assert (found["status"], found["stages.a.status"], found["stages.b.status"]) == (
        "failed",
        "failed",
        "skipped",
    )


def test_a_branch_sees_its_own_execution_of_a_stage() -> None:
    branch = Branch(source="a", attempt=2)
    rows = [record("note.a.1", 1), record("note.a.2", 2)]
    found = work("more", *rows[1:], branch=branch)
    assert seen(found)["stages.note.output"] == 2
    assert (found.call.record_id, found.idempotency_key) == ("more.a.2", "trg_1/more.a.2")


def test_a_branch_is_brought_the_attempt_it_follows() -> None:
    attempt = AttemptRow(
        trigger_id="trg_1", stage_id="a", item=-1, attempt=2, failed_at=NOW, error={"code": "dns"}
    )
    found = work("note", branch=Branch(source="a", attempt=2), more={"followed": attempt})
    assert found.source_of(ACTION.edges[2]) == Ended("failed", None, {"code": "dns"}, 2)


def test_within_a_branch_a_connector_brings_what_its_own_stage_gave() -> None:
    found = work("more", record("note.a.1", 5), branch=Branch(source="a", attempt=1))
    assert found.source_of(ACTION.edges[3]) == Ended("completed", 5, None, 2)


@pytest.mark.parametrize(
    ("status", "failed", "not_undone", "error"),
    [
        ("completed", (), (), None),
        ("failed", ("b",), (), {"stage": "b", **LOST}),
        ("cancelled", (), (), {"code": "cancelled", "message": "the trigger was cancelled"}),
        (
            "cancelled",
            (),
            ("a",),
            {"code": "cancelled", "message": "the trigger was cancelled", "not_undone": ["a"]},
        ),
    ],
)
def test_a_trigger_says_how_it_ended(
    status: str, failed: tuple[str, ...], not_undone: tuple[str, ...], error: Any
) -> None:
    assert error_of(status, failed, not_undone, TriggerRecords(ROW, {})) == error
