"""What PostgreSQL returns, as JSON; what a JSON number cannot hold exactly becomes a text."""

import base64
import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from asyncpg import BitString, Path, Polygon, Range, Record, Type
from pydantic import JsonValue


def row(record: Record, types: Mapping[str, Type]) -> dict[str, JsonValue]:
    """A row, column by column."""
    return {name: _column(value, types[name]) for name, value in record.items()}


def _column(value: object, type_: Type) -> JsonValue:
    match type_.name.removesuffix("[]").strip('"'), value:
        case "json" | "jsonb", str():
            return _parsed(value)
        case "json" | "jsonb" | "char", list():
            return [_column(item, type_) for item in value]
        case "char", bytes():
            return value.decode(errors="replace")
    return _json(value)


def _parsed(text: str) -> JsonValue:
    value: JsonValue = json.loads(text, parse_int=_whole_or_text, parse_float=_number_or_text)
    return value


def _whole_or_text(text: str) -> JsonValue:
    return _whole(int(text)) if len(text) < 30 else text


def _number_or_text(text: str) -> JsonValue:
    number = float(text)
    return number if math.isfinite(number) else text


def _whole(value: int) -> JsonValue:
    return value if -(2**63) <= value < 2**63 else str(value)


def _json(value: object) -> JsonValue:
    if writer := _WRITERS.get(type(value)):
        return writer(value)
    return _items(value) if isinstance(value, tuple) else str(value)


def _same(value: JsonValue) -> JsonValue:
    return value


def _float(value: float) -> JsonValue:
    return value if math.isfinite(value) else str(value)


def _decimal(value: Decimal) -> JsonValue:
    if not value.is_finite():
        return str(value)
    if value.as_tuple().exponent == 0:
        return _whole(int(value)) if value.adjusted() < 30 else str(value)
    near = float(value)
    return near if math.isfinite(near) and Decimal(repr(near)) == value else str(value)


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
    float: _float,
    Decimal: _decimal,
    **dict.fromkeys((datetime, date, time), lambda value: value.isoformat()),
    timedelta: timedelta.total_seconds,
    bytes: lambda value: base64.b64encode(value).decode(),
    **dict.fromkeys((list, tuple, Path, Polygon), _items),
    **dict.fromkeys((dict, Record), _fields),
    Range: _range,
    BitString: lambda value: value.as_string(),
}
