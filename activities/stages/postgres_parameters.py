"""JSON values as a PostgreSQL statement takes them, by the types of its parameters."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from asyncpg import BitString, Range, Type
from pydantic import JsonValue

from activities.stages.postgres_codecs import CODECS, Encoded


def parameters(values: Sequence[JsonValue], types: Sequence[Type]) -> list[object]:
    """The values for `$1`, `$2`, …; raises ValueError that names the one that does not fit."""
    if len(values) != len(types):
        raise ValueError(f"the statement takes {len(types)} values, {len(values)} were given")
    given: list[object] = []
    for number, (value, type_) in enumerate(zip(values, types, strict=True), 1):
        try:
            given.append(_parameter(value, type_))
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(f"${number} ({type_.name}): {error}") from error
    return given


def _parameter(value: JsonValue, type_: Type) -> object:
    if value is None:
        return None
    if type_.kind == "array":
        element = type_._replace(name=type_.name.removesuffix("[]"), kind="scalar")
        return _array(value, element)
    if type_.kind == "range":
        return _range(value, _SUBTYPES.get(type_.name, type_.name))
    if codec := CODECS.get(type_.name):
        encoded = codec.encode(value)  # The driver does so once more, but does not say as well what is wrong.
        return encoded if isinstance(encoded, Encoded) else value
    return _READERS.get(type_.name, _as_text if type_.kind == "scalar" else _as_it_is)(value)


def _array(value: JsonValue, element: Type) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list for {element.name}[]")
    return [
        _array(item, element)
        if isinstance(item, list) and element.name not in {"json", "jsonb"}
        else _parameter(item, element)
        for item in value
    ]


def _range(value: JsonValue, subtype: str) -> "Range[Any]":
    """A range as results show it: its bounds are `[)` if nothing else is said."""
    fields = dict(zip(("lower", "upper"), value, strict=True)) if isinstance(value, list) else value
    if not isinstance(fields, dict) or not fields.keys() <= {"lower", "upper", "bounds", "empty"}:
        raise TypeError("expected a map with lower, upper and bounds")
    bounds = fields.get("bounds", "[)")
    if bounds not in ("[)", "[]", "(]", "()"):
        raise ValueError("bounds are one of [) [] (] ()")
    read = _READERS.get(subtype, _as_it_is)
    lower, upper = (None if fields.get(end) is None else read(fields[end]) for end in ("lower", "upper"))
    return Range(
        lower,
        upper,
        lower_inc=bounds in ("[)", "[]"),
        upper_inc=bounds in ("[]", "(]"),
        empty=fields.get("empty") is True,
    )


def _as_it_is(value: JsonValue) -> object:
    return tuple(value) if isinstance(value, list) else value


def _as_text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _as_int(value: JsonValue) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(f"{value} is not a whole number")
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return int(value)
    raise TypeError("expected a whole number")


def _as_float(value: JsonValue) -> float:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return float(value)
    raise TypeError("expected a number")


def _as_bool(value: JsonValue) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError("expected true or false")


def _text_of(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    raise TypeError("expected a text")


def _as_bytes(value: JsonValue) -> bytes:
    return base64.b64decode(_text_of(value), validate=True)


def _as_bits(value: JsonValue) -> BitString:
    return BitString(_text_of(value))  # type: ignore[arg-type]  # the stubs say bytes, the class wants a text


_SUBTYPES = {
    "int4range": "int4",
    "int8range": "int8",
    "numrange": "numeric",
    "tsrange": "timestamp",
    "tstzrange": "timestamptz",
    "daterange": "date",
}
_READERS: Mapping[str, Callable[[JsonValue], Any]] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), _as_int),
    "float8": _as_float,
    "bool": _as_bool,
    "uuid": lambda value: UUID(_text_of(value)),
    "bytea": _as_bytes,
    **dict.fromkeys(("bit", "varbit"), _as_bits),
}
