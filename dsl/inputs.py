"""The inputs of an action: what is declared, and whether given values fit it."""

import re
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Annotated

from pydantic import JsonValue, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from dsl.action import Action, Input, InputItem
from dsl.cel_values import to_text
from dsl.limits import beyond_limits, misplaced_limits
from dsl.problems import Problem, did_you_mean

_NAMES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "datetime": "a time like 2026-03-20T09:00:00Z, with its offset",
}
MAX_UNKNOWN = 100  # inputs that are named in problems
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[-+]\d\d:\d\d)", re.ASCII)
_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1


def check_inputs(
    action: Action, values: Mapping[str, JsonValue]
) -> tuple[dict[str, JsonValue], list[Problem]]:
    """A value for each declared input, defaults filled in, and the problems of the given ones."""
    return fill_inputs(action.inputs, values)


def fill_inputs(
    declared: Mapping[str, Input], values: Mapping[str, JsonValue]
) -> tuple[dict[str, JsonValue], list[Problem]]:
    """As `check_inputs`, for the declarations alone."""
    problems = [
        Problem(
            f"inputs.{name}"[:80],
            "there is no such input",
            did_you_mean(name[:60], declared),
            "unknown_input",
        )
        for name in islice((name for name in values if name not in declared), MAX_UNKNOWN)
    ]
    filled: dict[str, JsonValue] = {}
    for name, given in declared.items():
        value = values.get(name, given.default)
        if value is None and given.required:
            problems.append(Problem(f"inputs.{name}", "is required", code="required"))
        wrong = [] if value is None else list(misfits(given, value))
        problems += [Problem(f"inputs.{name}", what, code="type") for what in wrong]
        filled[name] = value if wrong else _coerced(given, value)
    return filled, problems


def declaration_problems(given: InputItem) -> Iterator[tuple[str, str]]:
    """The field and the fault of each thing that a declaration alone shows to be wrong."""
    if given.pattern is not None and given.type != "string":
        yield "pattern", "only an input of type string has a pattern"
    elif given.pattern is not None and _matcher(given.pattern) is None:
        yield "pattern", "is not a regular expression"
    yield from misplaced_limits(given)
    for choice in given.enum or ():
        if wrong := next(misfits(given.model_copy(update={"enum": None}), choice), ""):
            yield "enum", f"{to_text(choice)[:40]} {wrong}"
    if isinstance(given, Input) and given.default is not None:
        for wrong in misfits(given, given.default):
            yield "default", wrong
    if given.items is not None:
        for name, wrong in declaration_problems(given.items):
            yield f"items.{name}", wrong
    for field, inner in (given.fields or {}).items():
        for name, wrong in declaration_problems(inner):
            yield f"fields.{field}.{name}", wrong


def misfits(given: InputItem, value: JsonValue) -> Iterator[str]:
    """What keeps a value from fitting a declaration."""
    if not _has_type(given, value):
        yield f"must be {_NAMES[given.type]}"
        return
    if given.enum is not None and not any(_is_same(value, choice) for choice in given.enum):
        yield "must be one of " + ", ".join(to_text(choice)[:40] for choice in given.enum[:20])
    if given.pattern is not None and isinstance(value, str) and not _matches(given.pattern, value):
        yield f"must match {given.pattern[:80]}"
    yield from beyond_limits(given, value)
    if given.items is not None and isinstance(value, list):
        for index, item in enumerate(value):
            yield from (f"item {index}: {wrong}" for wrong in misfits(given.items, item))
    if given.fields is not None and isinstance(value, dict):
        yield from _misfit_fields(given.fields, value)


def _misfit_fields(declared: Mapping[str, Input], value: Mapping[str, JsonValue]) -> Iterator[str]:
    for name in islice((name for name in value if name not in declared), MAX_UNKNOWN):
        hint = did_you_mean(name[:60], declared)
        yield f"field {name[:60]}: there is no such field" + (f"; {hint}" if hint else "")
    for name, inner in declared.items():
        given = value.get(name, inner.default)
        if given is None and inner.required:
            yield f"field {name}: is required"
        elif given is not None:
            yield from (f"field {name}: {wrong}" for wrong in misfits(inner, given))


def _has_type(given: InputItem, value: JsonValue) -> bool:
    match value:
        case bool():
            return given.type == "boolean"
        case int() | float():
            return given.type in ("integer", "number") and _is_within(given, value)
        case str():
            return given.type == "string" or (given.type == "datetime" and _is_time(value))
        case list():
            return given.type == "array"
    return given.type == "object" and isinstance(value, dict)


def _is_within(given: InputItem, value: float) -> bool:
    if given.type == "number":
        return abs(value) <= sys.float_info.max
    return _SMALLEST <= value <= _LARGEST and value == int(value)


def _coerced(given: InputItem, value: JsonValue) -> JsonValue:
    match given.type, value:
        case "number", int():
            return float(value)
        case "integer", float():
            return int(value)
        case "array", list() if given.items is not None:
            return [_coerced(given.items, item) for item in value]
        case "object", dict() if given.fields is not None:
            return {
                name: _coerced(inner, value.get(name, inner.default)) for name, inner in given.fields.items()
            }
    return value


def _is_time(text: str) -> bool:
    if not _RFC_3339.fullmatch(text):
        return False
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _is_same(one: JsonValue, other: JsonValue) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _matches(pattern: str, text: str) -> bool:
    matcher = _matcher(pattern)
    if matcher is None:
        return True
    try:
        matcher.validate_python(text)
    except ValidationError:
        return False
    return True


@lru_cache(256)
def _matcher(pattern: str) -> TypeAdapter[str] | None:
    # The engine of pydantic-core needs linear time, whatever pattern a tenant writes; `re` does not.
    try:
        return TypeAdapter(Annotated[str, StringConstraints(pattern=rf"^(?:{pattern})$")])
    except SchemaError:
        return None
