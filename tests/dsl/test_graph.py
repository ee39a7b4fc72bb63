import pytest

from dsl.graph import Edge, beside, edges_of, find_cycle, linear_edges, upstream_of, ways_of
from tests.dsl.actions import ALERT, IMPORT, action_of


def edges(*pairs: str) -> list[Edge]:
    return [Edge(index, pair[0], pair[1]) for index, pair in enumerate(pairs)]


def test_without_connectors_each_stage_leads_to_the_next() -> None:
    assert edges_of(action_of(IMPORT)) == (Edge(0, "fetch", "insert"),)


def test_connectors_are_the_edges() -> None:
    action = action_of(ALERT)
    assert action.connectors is not None
    first, second = action.connectors
    assert edges_of(action) == (
        Edge(0, "fetch", "alert", "success", first),
        Edge(1, "fetch", "alert", "error", second),
    )


def test_one_stage_has_no_edges() -> None:
    assert linear_edges(["a"]) == ()


@pytest.mark.parametrize(
    ("pairs", "stages"),
    [
        ([], set()),
        (["ab", "bc", "ac"], set()),
        (["aa"], {"a"}),
        (["ab", "ba"], {"a", "b"}),
        (["xa", "ab", "bc", "ca", "cy"], {"a", "b", "c"}),
    ],
)
def test_a_cycle_is_found(pairs: list[str], stages: set[str]) -> None:
    cycle = find_cycle(edges(*pairs))
    assert set(cycle) == stages
    assert cycle[:1] == cycle[-1:]


def test_upstream_is_all_that_leads_to_a_stage() -> None:
    found = upstream_of("abcdx", edges("ab", "ac", "bd", "cd"))
    assert {stage: "".join(sorted(before)) for stage, before in found.items()} == {
        "a": "", "b": "a", "c": "a", "d": "abc", "x": "",
    }  # fmt: skip


RETRIED = [
    Edge(0, "a", "b"),
    Edge(1, "b", "n", "retry"),
    Edge(2, "n", "m"),
    Edge(3, "b", "c"),
    Edge(4, "c", "o", "retry"),
]


@pytest.mark.parametrize(
    ("source", "stages"), [("", {"n", "m", "o"}), ("b", {"n", "m"}), ("c", {"o"}), ("a", set())]
)
def test_what_follows_failed_attempts_stands_beside_the_graph(source: str, stages: set[str]) -> None:
    assert beside(RETRIED, source) == stages


def test_a_branch_comes_after_what_its_source_came_after() -> None:
    found = upstream_of("abcnmo", ways_of(RETRIED))
    assert {stage: "".join(sorted(before)) for stage, before in found.items()} == {
        "a": "", "b": "a", "c": "ab", "n": "a", "m": "an", "o": "ab",
    }  # fmt: skip
