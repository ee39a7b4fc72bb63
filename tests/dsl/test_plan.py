from datetime import timedelta

import pytest

from activities.stages.catalogue import KINDS
from dsl.plan import Graph, Plan, PlannedEdge, PlannedForeach, PlannedStage, plan_action
from tests.dsl.actions import ALERT, IMPORT, SET, action_of, with_stages

DIAMOND = with_stages(
    "{id: a, uses: set, with: {values: {}}}",
    "{id: b, uses: http, with: {url: x}, timeout: 30s, continue_on_error: true}",
    "{id: c, uses: http, with: {url: x}, disabled: true}",
    "{id: d, uses: set, with: {values: {}}, join: all}",
    more=(
        "defaults: {timeout: 1m}\n"
        "connectors:\n"
        "  - {from: a, to: b}\n"
        "  - {from: a, to: c, on: always}\n"
        "  - {from: b, to: d, on: error}\n"
        "  - {from: c, to: d, on: skipped}\n"
    ),
)


def plan_of(text: str) -> Plan:
    return plan_action(action_of(text), KINDS)


def test_the_linear_form_is_a_chain() -> None:
    five = timedelta(minutes=5)
    assert plan_of(IMPORT) == Plan(
        stages=(
            PlannedStage(id="fetch", is_pure=False, is_root=True, timeout=five),
            PlannedStage(id="insert", is_pure=False, is_root=False, timeout=five),
        ),
        edges=(PlannedEdge(index=0, source="fetch", target="insert", on="success"),),
    )


def test_joins_timeouts_and_events_are_in_the_plan() -> None:
    minute = timedelta(minutes=1)
    found = plan_of(DIAMOND)
    assert found.stages == (
        PlannedStage(id="a", is_pure=True, is_root=True, timeout=minute),
        PlannedStage(
            id="b", is_pure=False, is_root=False, continue_on_error=True, timeout=timedelta(seconds=30)
        ),
        PlannedStage(id="c", is_pure=False, is_root=False, timeout=minute),
        PlannedStage(id="d", is_pure=True, is_root=False, join="all", timeout=minute),
    )
    assert [(edge.source, edge.target, edge.on) for edge in found.edges] == [
        ("a", "b", "success"),
        ("a", "c", "always"),
        ("b", "d", "error"),
        ("c", "d", "skipped"),
    ]


def test_stages_that_no_connector_leads_to_start_together() -> None:
    found = plan_of(with_stages(SET, SET.replace("first", "second"), more="connectors: []\n"))
    assert [stage.id for stage in found.stages if stage.is_root] == ["first", "second"]


@pytest.mark.parametrize("text", [ALERT, IMPORT, DIAMOND])
def test_a_plan_survives_json(text: str) -> None:
    found = plan_of(text)
    assert Plan.model_validate_json(found.model_dump_json()) == found


def test_a_plan_holds_no_payload() -> None:
    found = plan_of(ALERT).model_dump_json()
    assert "example.com" not in found
    assert "team_slack" not in found


WAITS = """\
version: 1
name: patient
defaults: {timeout: 5s, retry: {max_attempts: 9}}
stages:
  - {id: ask, uses: approval, with: {message: go?}}
  - {id: soon, uses: approval, timeout: 2h, with: {message: go?}}
  - {id: nap, uses: wait, with: {for: 30d}}
  - {id: call, uses: wait, with: {webhook: true}}
  - {id: other, uses: action, with: {action: other}}
"""


def test_a_stage_that_waits_has_a_patience_of_its_own() -> None:
    found = {stage.id: stage.timeout for stage in plan_of(WAITS).stages if stage.is_waiting}
    week, year = timedelta(days=7), timedelta(days=366)
    assert found == {"ask": week, "soon": timedelta(hours=2), "nap": year, "call": week, "other": year}


def test_the_defaults_are_not_meant_for_what_waits() -> None:
    assert [stage.retry for stage in action_of(WAITS).stages] == [None] * 5


@pytest.mark.parametrize(("more", "limit"), [("", timedelta(days=366)), ("timeout: 2d\n", timedelta(days=2))])
def test_an_action_that_waits_has_the_time_for_it(more: str, limit: timedelta) -> None:
    assert action_of(WAITS + more).timeout == limit


def test_a_stored_action_is_the_same_again() -> None:
    action = action_of(WAITS)
    assert type(action).model_validate(action.model_dump(mode="json")) == action


BEYOND = with_stages(
    "{id: a, uses: http, with: {url: x}, undo: {uses: http, with: {url: x}, timeout: 9s}}",
    "{id: b, uses: http, with: {url: x}, foreach: [1], concurrency: 3, on_item_error: continue}",
    "{id: c, uses: http, with: {url: x}, retry: {}}",
    "{id: note, uses: http, with: {url: x}}",
    "{id: more, uses: set, with: {values: {}}}",
    more=(
        "connectors:\n"
        "  - {from: a, to: b}\n"
        "  - {from: b, to: c}\n"
        "  - {from: c, to: note, on: retry}\n"
        "  - {from: note, to: more}\n"
        "on_error:\n"
        "  - {id: page, uses: http, with: {url: x}}\n"
        "  - {id: tell, uses: http, with: {url: x}}\n"
        "on_finish: [{id: clean, uses: http, with: {url: x}}]\n"
    ),
)


def edges(found: Graph) -> list[tuple[int, str, str]]:
    return [(edge.index, edge.source, edge.target) for edge in found.edges]


def test_branches_and_handlers_stand_beside_the_graph() -> None:
    found = plan_of(BEYOND)
    assert [stage.id for stage in found.stages] == ["a", "b", "c"]
    (side,) = found.sides
    assert (side.source, [stage.id for stage in side.stages]) == ("c", ["note", "more"])
    assert list(found.handlers) == ["on_error", "on_finish"]
    assert [edges(graph) for graph in (found, side, found.handlers["on_error"])] == [
        [(0, "a", "b"), (1, "b", "c")], [(2, "c", "note"), (3, "note", "more")], [(4, "page", "tell")],
    ]  # fmt: skip


def test_only_what_the_graph_begins_with_claims_the_trigger() -> None:
    found = plan_of(BEYOND)
    graphs = [found, *found.sides, *found.handlers.values()]
    assert [stage.id for graph in graphs for stage in graph.stages if stage.is_root] == ["a"]


def test_items_and_what_undoes_are_in_the_plan() -> None:
    first, second, third = plan_of(BEYOND).stages
    assert first.undo is not None
    assert (first.undo.id, first.undo.timeout) == ("a.undo", timedelta(seconds=9))
    assert second.foreach == PlannedForeach(at_once=3, is_strict=False)
    assert (third.undo, third.foreach) == (None, None)


def test_a_plan_of_before_is_read_as_it_was() -> None:
    old = {"stages": [{"id": "a", "is_pure": False, "is_root": True, "timeout": "PT5M"}], "edges": []}
    found = Plan.model_validate(old)
    assert (found.sides, found.handlers, found.stages[0].foreach, found.stages[0].undo) == (
        (),
        {},
        None,
        None,
    )
