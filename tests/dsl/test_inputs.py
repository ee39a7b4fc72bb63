import pytest
from pydantic import JsonValue

from dsl.inputs import check_inputs
from tests.dsl.actions import action_of, with_head

ACTION = action_of(
    with_head(
        "inputs:",
        "  text: {pattern: '[a-z]+'}",
        "  choice: {enum: [a, b], default: a}",
        "  whole: {type: integer}",
        "  number: {type: number}",
        "  flag: {type: boolean, default: true}",
        "  list: {type: array, items: {type: integer}}",
        "  map: {type: object}",
        "  moment: {type: datetime}",
        "  few: {type: integer, min: 1, max: 5}",
        "  share: {type: number, min: 0, max: 0.5}",
        "  word: {min_length: 2, max_length: 3}",
        "  pair: {type: array, items: {type: number}, min_length: 2, max_length: 2}",
        "  order: {type: object, fields: {id: {type: integer, required: true}, note: {default: none}}}",
    )
)
A_TIME = "must be a time like 2026-03-20T09:00:00Z, with its offset"
EMPTY: dict[str, JsonValue] = {
    "text": None, "choice": "a", "whole": None, "number": None, "flag": True, "list": None,
    "map": None, "moment": None, "few": None, "share": None, "word": None, "pair": None, "order": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "filled"),
    [
        ({}, {}),
        ({"text": "abc", "choice": "b", "flag": False}, {"text": "abc", "choice": "b", "flag": False}),
        ({"whole": 3.0, "number": 3}, {"whole": 3, "number": 3.0}),
        ({"list": [1, 2], "map": {"a": [None]}}, {"list": [1, 2], "map": {"a": [None]}}),
        ({"moment": "2026-03-20T09:00:00Z"}, {"moment": "2026-03-20T09:00:00Z"}),
        ({"text": None}, {}),
        ({"few": 5, "share": 0, "word": "ab"}, {"few": 5, "share": 0.0, "word": "ab"}),
        ({"pair": [1, 2.5]}, {"pair": [1.0, 2.5]}),
        ({"order": {"id": 7.0}}, {"order": {"id": 7, "note": "none"}}),
    ],
)
def test_inputs_are_filled_with_defaults(given: dict[str, JsonValue], filled: dict[str, JsonValue]) -> None:
    values, problems = check_inputs(ACTION, given)
    assert problems == []
    assert repr(values) == repr(EMPTY | filled)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"text": "abc1"}, "inputs.text: must match [a-z]+"),
        ({"text": "abc\n"}, "inputs.text: must match [a-z]+"),
        ({"text": 5}, "inputs.text: must be a text"),
        ({"choice": "c"}, "inputs.choice: must be one of a, b"),
        ({"whole": 3.5}, "inputs.whole: must be a whole number"),
        ({"whole": True}, "inputs.whole: must be a whole number"),
        ({"whole": 1 << 63}, "inputs.whole: must be a whole number"),
        ({"number": "3"}, "inputs.number: must be a number"),
        ({"flag": 1}, "inputs.flag: must be true or false"),
        ({"list": [1, "x"]}, "inputs.list: item 1: must be a whole number"),
        ({"list": "x"}, "inputs.list: must be a list"),
        ({"map": []}, "inputs.map: must be a mapping"),
        ({"moment": "2026-03-20 09:00"}, "inputs.moment: " + A_TIME),
        ({"moment": "2026-02-30T09:00:00Z"}, "inputs.moment: " + A_TIME),
        ({"few": 0}, "inputs.few: must be at least 1"),
        ({"few": 6}, "inputs.few: must be at most 5"),
        ({"share": 0.6}, "inputs.share: must be at most 0.5"),
        ({"word": "a"}, "inputs.word: must have at least 2 characters"),
        ({"word": "abcd"}, "inputs.word: must have at most 3 characters"),
        ({"pair": [1]}, "inputs.pair: must have at least 2 items"),
        ({"pair": [1, "x"]}, "inputs.pair: item 1: must be a number"),
        ({"order": {}}, "inputs.order: field id: is required"),
        ({"order": {"id": "x"}}, "inputs.order: field id: must be a whole number"),
        ({"order": {"id": 1, "x": 1}}, "inputs.order: field x: there is no such field"),
        ({"texd": 1}, "inputs.texd: there is no such input; did you mean 'text'?"),
    ],
)  # fmt: skip
def test_a_wrong_input_says_what_it_must_be(given: dict[str, JsonValue], line: str) -> None:
    _, problems = check_inputs(ACTION, given)
    assert [problem.render("f") for problem in problems] == [f"f:1:1: {line}"]


def test_a_required_input_must_be_given() -> None:
    action = action_of(with_head("inputs: {a: {required: true}, b: {required: true, default: x}}"))
    assert [problem.where for problem in check_inputs(action, {})[1]] == ["inputs.a"]


def test_a_hostile_pattern_takes_no_time() -> None:
    action = action_of(with_head("inputs: {a: {pattern: '(a+)+b'}}"))
    assert [problem.what for problem in check_inputs(action, {"a": "a" * 5000})[1]] == ["must match (a+)+b"]
