import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from activities.schema import language_schema
from activities.stages.catalogue import KINDS
from dsl.cel import ExpressionError, evaluate, render
from dsl.describe import describe
from dsl.document import read_document
from dsl.dump import dump_action
from dsl.functions.catalogue import FUNCTIONS
from dsl.functions.function import Form, Function, TypeName
from dsl.references import references
from dsl.schedule import read_schedule
from dsl.scopes import Scope
from dsl.templates import TemplateError, parse_template
from tests.dsl.actions import ALERT, IMPORT, action_of, checked

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
SCHEMA = jsonschema_rs.Draft7Validator(language_schema(KINDS))
FORMS: list[tuple[Function, Form]] = [(one, form) for one in FUNCTIONS.values() for form in one.forms]
_WHOLE = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-5, 70)
_TEXTS = st.text(max_size=20) | st.sampled_from(
    [
        "%Y-%m-%d",
        "Europe/London",
        "day",
        "month",
        "2026-03-29T00:30:00Z",
        "a",
        '{"a": [1, 2.5]}',
        "00ff",
        "%41",
    ]
)
VALUES_OF: Mapping[TypeName, st.SearchStrategy[Any]] = {
    "string": _TEXTS,
    "bytes": _TEXTS,
    "int": _WHOLE,
    "uint": st.integers(0, 1 << 62),
    "timestamp": st.integers(-62_135_596_800, 253_402_300_799),
    "duration": st.integers(-(10**9), 10**9),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "null": st.none(),
    "list": st.lists(JSON, max_size=4) | st.lists(_WHOLE, max_size=4) | st.lists(_TEXTS, max_size=4),
    "map": st.dictionaries(_TEXTS, JSON, max_size=4),
    "dyn": JSON,
}
MADE: Mapping[TypeName, str] = {
    "bytes": "bytes({})",
    "uint": "uint({})",
    "timestamp": "timestamp({})",
    "duration": "duration(string({}) + 's')",
}  # what is made of a value for types that JSON has not
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


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, Mapping[str, JsonValue]]:
    """A call of one of our functions with values that fit one of its forms."""
    function, form = draw(st.sampled_from(FORMS))
    variables = {f"v{at}": draw(VALUES_OF[kind]) for at, kind in enumerate(form.takes)}
    given = [MADE.get(kind, "{}").format(name) for name, kind in zip(variables, form.takes, strict=True)]
    if function.is_member:
        return f"{given[0]}.{function.name}({', '.join(given[1:])})", variables
    return f"{function.name}({', '.join(given)})", variables


def lies_inside(text: str, line: int, column: int) -> bool:
    """Whether a position is that of a character, or of the end of a line."""
    lines = [*text.removeprefix("\ufeff").splitlines(), ""]
    return 1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1


def assert_sound(text: str) -> None:
    found = checked(text)
    assert (found.action is None) == bool(found.problems)
    if found.action is not None:
        assert action_of(dump_action(found.action)) == found.action
    for problem in found.problems:
        assert lies_inside(text, problem.line, problem.column), problem
        assert problem.render("a.yaml").isprintable()


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_are_an_action_or_problems(raw: bytes) -> None:
    found = checked(raw)
    assert (found.action is None) == bool(found.problems)
    shown = raw.decode(errors="replace")
    assert all(lies_inside(shown, problem.line, problem.column) for problem in found.problems)


@QUICK
@given(st.text(max_size=200) | st.lists(st.sampled_from(FRAGMENTS), max_size=20).map("".join))
def test_any_text_is_an_action_or_problems_inside_it(text: str) -> None:
    assert_sound(text)


@settings(max_examples=250, deadline=None)
@given(mutated())
def test_a_mutated_action_is_an_action_or_problems_inside_it(text: str) -> None:
    assert_sound(text)


@QUICK
@given(
    JSON, st.sampled_from([None, "'", '"', "|", ">"]), st.sampled_from([None, True, False]), st.integers(2, 9)
)
def test_any_yaml_is_an_action_or_problems_inside_it(
    value: object, style: str | None, is_flow: bool | None, indent: int
) -> None:
    assert_sound(
        yaml.safe_dump(
            value, default_style=style, default_flow_style=is_flow, indent=indent, allow_unicode=True
        )
    )


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


@QUICK
@given(JSON, st.text(max_size=40))
def test_an_action_with_any_values_reads_back_as_itself(value: JsonValue, text: str) -> None:
    stage = {"id": "a", "uses": "set", "name": text, "with": {"values": {"v": value}}}
    action = {"name": "trial", "description": text, "labels": {text: text}, "stages": [stage]}
    assert_sound(json.dumps(action))


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_a_mutated_action_without_problems_fits_the_schema(text: str) -> None:
    document, _ = read_document(text)
    assert document is None or checked(text).action is None or SCHEMA.is_valid(document.value)


@settings(max_examples=300, deadline=None)
@given(calls())
def test_any_call_of_a_function_has_a_value_or_an_error(call: tuple[str, Mapping[str, JsonValue]]) -> None:
    expression, variables = call
    with suppress(ExpressionError):
        json.dumps(
            evaluate(expression, variables, Scope.of(dict.fromkeys(variables, "dyn"))), allow_nan=False
        )
