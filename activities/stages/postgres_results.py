"""What PostgreSQL returns, as JSON; what a JSON number cannot hold exactly becomes a text."""

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from asyncpg import BitString, Path, Polygon, Range, Record, Type
from pydantic import JsonValue

from activities.stages.sql_values import number


def row(record: Record, types: Mapping[str, Type]) -> dict[str, JsonValue]:
    """A row, column by column."""
    return {name: _column(value, types[name]) for name, value in record.items()}


def _column(value: object, type_: Type) -> JsonValue:
    match type_.name.removesuffix("[]").strip('"'), value:
        case "char", list():
            return [_column(item, type_) for item in value]
        case "char", bytes():
            return value.decode(errors="replace")
    return _json(value)


def _json(value: object) -> JsonValue:
    if writer := _WRITERS.get(type(value)):
        return writer(value)
    return _items(value) if isinstance(value, tuple) else str(value)


def _same(value: JsonValue) -> JsonValue:
    return value


def _items(values: Iterable[object]) -> JsonValue:
    return [_json(item) for item in values]


def _fields(value: Mapping[str, object]) -> JsonValue:
    return {name: _json(item) for name, item in value.items()}


def _range(value: "Range[Any]") -> JsonValue:
    bounds = ("[" if value.lower_inc else "(") + ("]" if value.upper_inc else ")")
    lower, upper = _json(value.lower), _json(value.upper)
    return {"lower": lower, "upper": upper, "bounds": bounds, "empty": value.isempty}


_WRITERS: Mapping[type, Callable[[Any], JsonValue]] = {
    **dict.fromkeys((type(None), bool, int, str), _same),
    float: number,
    bytes: lambda value: base64.b64encode(value).decode(),
    **dict.fromkeys((list, tuple, Path, Polygon), _items),
    **dict.fromkeys((dict, Record), _fields),
    Range: _range,
    BitString: lambda value: value.as_string(),
}
