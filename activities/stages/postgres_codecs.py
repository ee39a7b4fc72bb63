"""The types of PostgreSQL that asyncpg reads and writes as a stage shows them, wherever they are nested."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import JsonValue

from activities.stages import postgres_times as times
from activities.stages.sql_values import decimal, number, parsed

if TYPE_CHECKING:
    from activities.stages.postgres_connection import Connection


class Codec(NamedTuple):
    """How a value goes in, and how it comes out."""

    encode: Callable[[JsonValue], Any]
    decode: Callable[[Any], JsonValue]
    form: Literal["text", "tuple"]


def _decimal_of(value: JsonValue) -> str:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return str(Decimal(str(value)))
        except ArithmeticError as error:
            raise ValueError(f"{str(value)[:40]!r} is not a number") from error
    raise TypeError("expected a number")


def _single_of(value: JsonValue) -> str:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return repr(float(value))
    raise TypeError("expected a number")


class Encoded(str):
    """JSON that is written already; in an array, the driver would take a list for a further dimension."""


def _json_of(value: JsonValue) -> str:
    if isinstance(value, Encoded):
        return value
    return Encoded(json.dumps(value, ensure_ascii=False, allow_nan=False))


_JSON = Codec(_json_of, parsed, "text")
CODECS: Mapping[str, Codec] = {
    "json": _JSON,
    "jsonb": _JSON,
    "numeric": Codec(_decimal_of, lambda text: decimal(Decimal(text)), "text"),
    # In four bytes 1.1 is not 1.1 any more; its text still is.
    "float4": Codec(_single_of, lambda text: number(float(text)), "text"),
    "date": Codec(times.date_fields, times.date_text, "tuple"),
    "timestamp": Codec(times.moment_fields, times.local_text, "tuple"),
    "timestamptz": Codec(times.moment_fields, times.instant_text, "tuple"),
    "time": Codec(times.time_fields, times.time_text, "tuple"),
    "timetz": Codec(times.zoned_time_fields, times.zoned_time_text, "tuple"),
    "interval": Codec(times.interval_fields, times.interval_text, "tuple"),
}


async def use_codecs(connection: "Connection") -> None:
    """Make a connection use them; that asks the server nothing."""
    for name, codec in CODECS.items():
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=codec.encode, decoder=codec.decode, format=codec.form
        )
