"""What PostgreSQL returns, as JSON; what a JSON number cannot hold exactly becomes a text."""

import base64
import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from asyncpg import BitString, Range, Record, Type
from pydantic import JsonValue


def row(record: Record, types: Mapping[str, Type]) -> dict[str, JsonValue]:
    """A row, column by column."""
    return {name: _column(value, types[name]) for name, value in record.items()}


def _column(value: object, type_: Type) -> JsonValue:
    match type_.name.removesuffix("[]"), value:
        case "json" | "jsonb", str():
            return _json(json.loads(value))
        case "json" | "jsonb", list():
            return [_column(item, type_) for item in value]
    return _json(value)


def _json(value: object) -> JsonValue:
    return _WRITERS.get(type(value), str)(value)


def _same(value: JsonValue) -> JsonValue:
    return value


def _float(value: float) -> JsonValue:
    return value if math.isfinite(value) else str(value)


def _decimal(value: Decimal) -> JsonValue:
    if not value.is_finite():
        return str(value)
    if value.as_tuple().exponent == 0:
        return int(value)
    near = float(value)
    return near if math.isfinite(near) and Decimal(repr(near)) == value else str(value)


def _items(values: list[object] | tuple[object, ...]) -> JsonValue:
    return [_json(item) for item in values]


def _fields(value: Mapping[str, object]) -> JsonValue:
    return {name: _json(item) for name, item in value.items()}


def _range(value: "Range[Any]") -> JsonValue:
    return {"lower": _json(value.lower), "upper": _json(value.upper), "empty": value.isempty}


_WRITERS: Mapping[type, Callable[[Any], JsonValue]] = {
    **dict.fromkeys((type(None), bool, int, str), _same),
    float: _float,
    Decimal: _decimal,
    **dict.fromkeys((datetime, date, time), lambda value: value.isoformat()),
    timedelta: timedelta.total_seconds,
    bytes: lambda value: base64.b64encode(value).decode(),
    **dict.fromkeys((list, tuple), _items),
    **dict.fromkeys((dict, Record), _fields),
    Range: _range,
    BitString: lambda value: value.as_string(),
}
