"""Column types that mean the same on SQLite and PostgreSQL."""

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import inf, isfinite

from sqlalchemy import JSON, BigInteger, Dialect, Enum
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Json = JSON(none_as_null=True)  # not JSONB: a tenant's object keeps the order of its keys


def text_enum(members: type[StrEnum]) -> Enum:
    """A text column that holds the members' values, not their Python names."""
    return Enum(
        members,
        native_enum=False,
        create_constraint=False,
        length=16,
        values_callable=lambda kind: list(map(str, kind)),
    )


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant, kept as whole microseconds since 1970: exact and ordered everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Microseconds for the database; a naive datetime is a mistake of ours and raises ValueError."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """The instant in UTC."""
        return None if value is None else from_micros(value)


def to_micros(instant: datetime) -> int:
    """Whole microseconds from 1970 to an aware instant."""
    if instant.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {instant.isoformat()}")
    return (instant - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The instant that lies so many microseconds after 1970."""
    return EPOCH + micros * MICROSECOND


def storable(text: str) -> str:
    """The text without what no database keeps: NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def json_text(value: object) -> str:
    """Compact JSON, in ASCII only: lone surrogates are legal in its escapes but in no database's text."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except ValueError:  # JSON knows no infinities; CEL and user code do.
        return json.dumps(_finite(value), separators=(",", ":"))


def _finite(value: object) -> object:
    match value:
        case float() if not isfinite(value):
            return {inf: "Infinity", -inf: "-Infinity"}.get(value, "NaN")
        case dict():
            return {name: _finite(part) for name, part in value.items()}
        case list() | tuple():
            return [_finite(part) for part in value]
    return value
