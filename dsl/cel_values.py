"""Values on their way into and out of expressions."""

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from dsl.scopes import TypeName


class ExpressionError(Exception):
    """An expression could not be evaluated."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def to_variable(name: str, value: JsonValue, kind: TypeName) -> object:
    """A JSON value as the engine wants it for a declared type; raises ExpressionError."""
    if kind == "timestamp" and isinstance(value, str):
        return _timestamp(name, value)
    if kind == "double" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if value is None and kind != "dyn":
        raise ExpressionError(f"{name} has no value")
    return value


def to_json(value: object) -> JsonValue:
    """A result as JSON: times as RFC 3339, durations in seconds, bytes as base64; raises ExpressionError."""
    match value:
        case float() if not math.isfinite(value):
            raise ExpressionError(f"the result {value} is not a number that JSON knows")
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [to_json(item) for item in value]
        case dict():
            # The engine keeps no order of its own; a stage that is tried again must send the same text.
            fields = {_key(key): to_json(item) for key, item in value.items()}
            return {key: fields[key] for key in sorted(fields)}
    return _scalar(value)


def to_text(value: JsonValue) -> str:
    """A value inside a longer text: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def describe_missing(parts: tuple[str | int, ...], variables: Mapping[str, JsonValue]) -> str:
    """Where a path ends too early: `input.body has no 'orders'; it has: items`; empty if it does not."""
    name, rest = _variable(parts, variables)
    value = variables.get(name)
    for part in rest:
        if isinstance(value, dict) and isinstance(part, str):
            if part not in value:
                return f"{name} has no '{part}'{_fields(name, value)}"
            value = value[part]
            name = f"{name}.{part}"
        elif isinstance(value, list) and isinstance(part, int):
            if part >= len(value):
                return f"{name} has no item {part}, it has {len(value)}"
            value = value[part]
            name = f"{name}[{part}]"
        else:
            return f"{name} is {_kind(value)}, so it has no '{part}'"
    return ""


def _variable(
    parts: tuple[str | int, ...], variables: Mapping[str, JsonValue]
) -> tuple[str, tuple[str | int, ...]]:
    for length in (3, 2, 1):
        name = ".".join(str(part) for part in parts[:length])
        if len(parts) >= length and name in variables:
            return name, parts[length:]
    return str(parts[0]), ()


def _fields(name: str, value: dict[str, JsonValue]) -> str:
    if name.startswith("secrets") or not value:
        return ""
    return "; it has: " + ", ".join(sorted(value)[:8]) + (", …" if len(value) > 8 else "")


def _kind(value: JsonValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
    return "a map"


def _scalar(value: object) -> str:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case timedelta():
            return f"{value.total_seconds():f}".rstrip("0").rstrip(".") + "s"
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
    raise ExpressionError("the result is not a value")


def _key(key: object) -> str:
    return key if isinstance(key, str) else to_text(to_json(key))


def _timestamp(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ExpressionError(f"{name} is not a time") from error
    if moment.tzinfo is None:
        raise ExpressionError(f"{name} is a time without an offset")
    return moment
