import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsl.cel import ExpressionError, evaluate, render
from dsl.describe import describe
from dsl.document import read_document
from dsl.references import references
from dsl.schedule import read_schedule
from dsl.scopes import Scope
from dsl.templates import TemplateError, parse_template
from tests.dsl.actions import ALERT, IMPORT, checked

FRAGMENTS = [
    "${{", "}}", "$${{", "{", "}", "[", "]", ":", ": ", "- ", "\n", "\r\n", "\t", "'", '"', "#", "&a", "*a",
    "!!x", "|\n", ">\n", "\\", "\\ud83d\\ude00", "\ufeff", "\u2028", "\x85", "\x00", "\U0001f600", "0x",
    "1e999", ".inf", "null", "true", "every ", "stages.", "fetch", "input", "output.", "a" * 70, "? ",
    "---\n", "...\n", "%YAML 1.1\n", "<<: ",
]  # fmt: skip
FIELDS = [
    "version", "name", "inputs", "schedule", "schedules", "stages", "connectors", "outputs", "defaults",
    "retry", "id", "uses", "with", "when", "from", "to", "on", "map", "join", "output", "timeout", "url",
    "type", "enum", "default", "pattern", "items", "every", "at", "timezone", "values", "connection",
]  # fmt: skip
_KEYS = st.sampled_from(FIELDS)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(FRAGMENTS),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_KEYS | st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=25,
)
WORDS = [
    "every", "day", "at", "on", "in", "the", "1st", "9", "09:00", "monday", "and", ",", "2026-12-24", "2",
    "hours", "until", "Europe/London", ";", "except", "between", "only", "moved", "to", "business", "next",
    "times", "cron", "*", "*/5", "1-5", "@daily", "last", "minutes", "calendar",
]  # fmt: skip
QUICK = settings(max_examples=120, deadline=None)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """An example with some of its text cut, doubled or replaced."""
    text = draw(st.sampled_from([ALERT, IMPORT]))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 30)))
        text = text[:start] + draw(st.sampled_from(["", *FRAGMENTS, text[start:end] * 2])) + text[end:]
    return text


def lies_inside(text: str, line: int, column: int) -> bool:
    """Whether a position is that of a character, or of the end of a line."""
    lines = [*text.removeprefix("\ufeff").splitlines(), ""]
    return 1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1


def assert_sound(text: str) -> None:
    found = checked(text)
    assert (found.action is None) == bool(found.problems)
    for problem in found.problems:
        assert lies_inside(text, problem.line, problem.column), problem
        assert problem.render("a.yaml").isprintable()


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_are_an_action_or_problems(raw: bytes) -> None:
    found = checked(raw)
    assert (found.action is None) == bool(found.problems)


@QUICK
@given(st.text(max_size=200) | st.lists(st.sampled_from(FRAGMENTS), max_size=20).map("".join))
def test_any_text_is_an_action_or_problems_inside_it(text: str) -> None:
    assert_sound(text)


@settings(max_examples=250, deadline=None)
@given(mutated())
def test_a_mutated_action_is_an_action_or_problems_inside_it(text: str) -> None:
    assert_sound(text)


@QUICK
@given(JSON, st.booleans())
def test_any_json_is_an_action_or_problems_inside_it(value: object, is_ascii: bool) -> None:
    assert_sound(json.dumps(value, ensure_ascii=is_ascii))


@QUICK
@given(st.dictionaries(_KEYS, JSON, max_size=6))
def test_any_fields_of_a_stage_are_an_action_or_problems_inside_it(fields: dict[str, object]) -> None:
    stage = {"id": "a", "uses": "http", **fields}
    assert_sound(json.dumps({"version": 1, "name": "trial", "stages": [stage], "connectors": [fields]}))


@QUICK
@given(JSON)
def test_json_that_can_be_read_is_what_json_reads(value: object) -> None:
    text = json.dumps(value)
    document, problems = read_document(text)
    assert problems or (document is not None and document.value == json.loads(text))


@QUICK
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(WORDS),
        max_size=8,
    ).map(" ".join)
)
def test_any_phrase_is_a_schedule_or_a_problem_inside_it(phrase: str) -> None:
    schedule, problems = read_schedule(phrase)
    assert (schedule is None) == bool(problems)
    assert all(1 <= problem.column <= len(phrase) + 1 for problem in problems)
    assert schedule is None or read_schedule(describe(schedule))[0] == schedule


@QUICK
@given(st.dictionaries(_KEYS, JSON, max_size=5))
def test_any_mapping_is_a_schedule_or_problems(value: dict[str, object]) -> None:
    schedule, problems = read_schedule(json.loads(json.dumps(value)))
    assert (schedule is None) == bool(problems)


@QUICK
@given(
    st.lists(
        st.sampled_from([*FRAGMENTS, "1", "+", "input.a", "(", ")", "x", ".map(", ", "]), max_size=12
    ).map("".join)
)
def test_any_expression_has_a_value_or_an_error(text: str) -> None:
    scope = Scope.of({"input": "dyn"})
    for act in (evaluate, render):
        with suppress(ExpressionError):
            act(text, {"input": {"a": 1}}, scope)


@pytest.mark.parametrize("read", [references, parse_template])
@QUICK
@given(text=st.lists(st.sampled_from(FRAGMENTS), max_size=20).map("".join))
def test_any_text_can_be_searched_for_expressions(read: Callable[[str], object], text: str) -> None:
    with suppress(TemplateError):
        read(text)
