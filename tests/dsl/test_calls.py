import pytest

from dsl.calls import calls_of, find_circle

ACTION = {
    "stages": [
        {"id": "a", "uses": "action", "with": {"action": "b"}},
        {"id": "x", "uses": "action", "with": {"action": "${{ inputs.which }}"}},
        {
            "id": "y",
            "uses": "http",
            "with": {"action": "c"},
            "undo": {"uses": "action", "with": {"action": "d"}},
        },
        {"id": "z", "uses": "action", "with": None},
    ],
    "on_error": [{"id": "e", "uses": "action", "with": {"action": "e"}}],
}


def test_the_actions_that_are_named_are_found_wherever_stages_stand() -> None:
    assert list(calls_of(ACTION)) == [  # type: ignore[arg-type]  # JSON
        (("stages", 0, "with", "action"), "b"),
        (("stages", 2, "undo", "with", "action"), "d"),
        (("on_error", 0, "with", "action"), "e"),
    ]


@pytest.mark.parametrize(
    ("calls", "circle"),
    [
        ({}, ()),
        ({"b": {"a"}}, ("a", "b", "a")),
        ({"b": {"c", "d"}, "c": {"b"}, "d": {"a"}}, ("a", "b", "d", "a")),
        ({"b": {"c"}, "c": {"c"}}, ()),
    ],
)
def test_a_circle_is_the_way_back(calls: dict[str, set[str]], circle: tuple[str, ...]) -> None:
    assert find_circle("a", "b", {name: frozenset(called) for name, called in calls.items()}) == circle


def test_an_action_that_calls_itself_is_a_circle() -> None:
    assert find_circle("a", "a", {}) == ("a", "a")
