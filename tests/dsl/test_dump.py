import json

import pytest
from pydantic import JsonValue

from activities.stages.catalogue import KINDS
from dsl.action import Action
from dsl.check import Checked, check_text
from dsl.dump import dump_action
from tests.docs.test_examples import ACTIONS, EXAMPLES
from tests.dsl.actions import ALERT, IMPORT, with_stages

TEXTS = [
    ALERT,
    IMPORT,
    *(block.text for block in ACTIONS if not block.following),
    *(path.read_text() for path in EXAMPLES),
]


def checked(text: str) -> Checked:
    return check_text(text, KINDS, None)


def action_of(text: str) -> Action:
    found = checked(text)
    assert found.action is not None, found.problems
    return found.action


def again(action: Action) -> Action:
    return action_of(dump_action(action))


@pytest.mark.parametrize("text", TEXTS)
def test_an_action_reads_back_as_itself(text: str) -> None:
    action = action_of(text)
    assert again(action) == action
    assert dump_action(again(action)) == dump_action(action)
    assert checked(dump_action(action)).schedules == checked(text).schedules


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "null", "~", "true", "on", "No", "010", "0o17", "0x1F", "1e3", "12:30", "1_000", "1.",
        ".5", "+1", ".inf", "-.INF", ".nan", "2026-12-24", "=", "<<", "- a", "a: b", "#a", "a #b", "&a",
        "*a", "!a", "%a", "@a", "`a", "|", ">", "{", "[", "'", '"', "\\", "a\nb", "a\n", "\na", " a\nb ",
        "a\n\n", "a\tb\n\tc", "a\r\nb", "\u2028", "\x85", "\ufeff", "\U0001f600", "é", "$${{ a }}",
        "a" * 300, "a " * 200, "---", "...", "\x7f",
    ],
)  # fmt: skip
def test_any_text_reads_back_as_itself(value: str) -> None:
    key = value.replace("$${{", "")  # A key is no expression.
    fields: JsonValue = {"a": value, "list": [value, {key: value}]}
    stage = {"id": "s", "uses": "set", "with": {"values": fields}}
    action = action_of(json.dumps({"name": "trial", "description": value, "stages": [stage]}))
    assert again(action) == action


@pytest.mark.parametrize(
    "value", [0, -1, 1 << 62, 0.1, 1e300, -0.0, 1e-7, 2.0, True, None, [], {}, [[]], [{}]]
)
def test_any_value_reads_back_as_itself(value: JsonValue) -> None:
    stage = {"id": "s", "uses": "set", "with": {"values": {"v": value}}}
    found = again(action_of(json.dumps({"name": "trial", "stages": [stage]}))).stages[0].with_
    assert repr(found) == repr(stage["with"])


def test_defaults_are_not_written_into_the_stages() -> None:
    more = "defaults: {timeout: 90s, retry: {max_attempts: 5}}\n"
    stages = "{id: s, uses: set, with: {values: {}}}", "{id: t, uses: set, with: {values: {}}, retry: false}"
    assert dump_action(action_of(with_stages(*stages, more=more))) == (
        "version: 1\n"
        "name: trial\n"
        "defaults:\n"
        "  retry:\n"
        "    max_attempts: 5\n"
        "  timeout: 1m30s\n"
        "stages:\n"
        "- id: s\n"
        "  uses: set\n"
        "  with:\n"
        "    values: {}\n"
        "- id: t\n"
        "  uses: set\n"
        "  with:\n"
        "    values: {}\n"
        "  retry: false\n"
    )


def test_lines_of_code_stay_lines() -> None:
    source = "def main(inputs):\n    return 1\n"
    stage = {"id": "s", "uses": "code", "with": {"language": "python", "source": source}}
    text = dump_action(action_of(json.dumps({"name": "trial", "stages": [stage]})))
    assert "    source: |\n      def main(inputs):\n          return 1\n" in text


def test_what_is_too_large_when_indented_is_written_as_json() -> None:
    deep: JsonValue = ["x"] * 1000
    for _ in range(40):
        deep = [deep]
    values = {f"v{number}": deep for number in range(9)}
    stage = {"id": "s", "uses": "set", "with": {"values": values}}
    action = action_of(json.dumps({"name": "trial", "stages": [stage]}))
    assert dump_action(action).startswith('{"version":1,"name":"trial"')
    assert again(action) == action
