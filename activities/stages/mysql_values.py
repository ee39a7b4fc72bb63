"""JSON values as parameters of MySQL, and the values of its columns as JSON."""

import base64
import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum

from pydantic import JsonValue

from activities.stages.mysql_wire import Reader, counted
from activities.stages.sql_values import LEAST, MOST, RFC3339, decimal, number, parsed, whole

UNSIGNED = 0x20
BINARY = 63  # the character set of what is no text


class Type(IntEnum):
    """The types of the protocol that are not bytes behind their number, or mean more than their bytes."""

    TINY = 1
    SHORT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    NULL = 6
    TIMESTAMP = 7
    LONGLONG = 8
    INT24 = 9
    DATE = 10
    TIME = 11
    DATETIME = 12
    YEAR = 13
    BIT = 16
    JSON = 245
    NEWDECIMAL = 246
    VAR_STRING = 253


@dataclass(frozen=True)
class Column:
    """A column of a result."""

    name: str
    type: int
    charset: int
    flags: int
    is_json: bool


def column(packet: bytes, has_extended_types: bool) -> Column:
    """The column that a packet describes."""
    fields = Reader(packet)
    for _ in range(4):  # where it comes from
        fields.counted()
    name = fields.counted().decode(errors="replace")
    fields.counted()
    extended = fields.counted() if has_extended_types else b""
    fields.take(1)
    charset = fields.whole(2)
    fields.take(4)
    type_, flags = fields.whole(1), fields.whole(2)
    return Column(name, type_, charset, flags, type_ == Type.JSON or extended == b"\x01\x04json")


def row(packet: bytes, columns: Sequence[Column]) -> dict[str, JsonValue]:
    """A row of the binary protocol, column by column."""
    fields = Reader(packet, 1)
    nulls = int.from_bytes(fields.take((len(columns) + 9) // 8), "little") >> 2
    return {
        each.name: None if nulls >> index & 1 else _value(fields, each) for index, each in enumerate(columns)
    }


def _value(fields: Reader, of: Column) -> JsonValue:
    if size := _WHOLE.get(of.type):
        value = fields.take(size)
        return whole(int.from_bytes(value, "little", signed=not of.flags & UNSIGNED))
    if reader := _READERS.get(of.type):
        return reader(fields)
    content = fields.counted()
    if of.is_json:
        return parsed(content.decode())
    if of.charset == BINARY:
        return base64.b64encode(content).decode()
    return content.decode(errors="replace")


def _float(fields: Reader) -> JsonValue:
    """The shortest number that is this one in four bytes, as the server itself writes it."""
    content = fields.take(4)
    (value,) = struct.unpack("<f", content)
    texts = (f"{value:.{digits}g}" for digits in range(6, 10))
    return float(next(text for text in texts if struct.pack("<f", float(text)) == content))


def _double(fields: Reader) -> JsonValue:
    return number(struct.unpack("<d", fields.take(8))[0])


def _decimal(fields: Reader) -> JsonValue:
    return decimal(Decimal(fields.counted().decode()))


def _moment(fields: Reader) -> tuple[str, str]:
    """Date and time of day as texts, since zeros, as in `0000-00-00`, are no date elsewhere."""
    content = fields.counted().ljust(11, b"\0")
    year, month, day, hour, minute, second, micros = struct.unpack("<HBBBBBI", content)
    fraction = f".{micros:06}" if micros else ""
    return f"{year:04}-{month:02}-{day:02}", f"{hour:02}:{minute:02}:{second:02}{fraction}"


def _date(fields: Reader) -> JsonValue:
    return _moment(fields)[0]


def _datetime(fields: Reader) -> JsonValue:
    return "T".join(_moment(fields))


def _timestamp(fields: Reader) -> JsonValue:
    date, time = _moment(fields)
    # The session's zone is UTC; the zero is no instant at all.
    return f"{date}T{time}" if date == "0000-00-00" else f"{date}T{time}+00:00"


def _time(fields: Reader) -> JsonValue:
    content = fields.counted().ljust(12, b"\0")
    is_negative, days, hours, minutes, seconds, micros = struct.unpack("<BIBBBI", content)
    fraction = f".{micros:06}" if micros else ""
    return f"{'-' if is_negative else ''}{days * 24 + hours:02}:{minutes:02}:{seconds:02}{fraction}"


def _bits(fields: Reader) -> JsonValue:
    return whole(int.from_bytes(fields.counted(), "big"))


_WHOLE: Mapping[int, int] = {
    Type.TINY: 1,
    Type.SHORT: 2,
    Type.YEAR: 2,
    Type.INT24: 4,
    Type.LONG: 4,
    Type.LONGLONG: 8,
}
_READERS: Mapping[int, Callable[[Reader], JsonValue]] = {
    Type.FLOAT: _float,
    Type.DOUBLE: _double,
    0: _decimal,
    Type.NEWDECIMAL: _decimal,
    Type.DATE: _date,
    Type.TIME: _time,
    Type.DATETIME: _datetime,
    Type.TIMESTAMP: _timestamp,
    Type.BIT: _bits,
}


def parameters(values: Sequence[JsonValue]) -> bytes:
    """The values for each `?` as they follow the head of an execution."""
    if not values:
        return b""
    nulls, types, contents = 0, b"", []
    for index, value in enumerate(values):
        type_, flag, content = _parameter(value)
        nulls |= (value is None) << index
        types += bytes([type_, flag])
        contents.append(content)
    bitmap = nulls.to_bytes((len(values) + 7) // 8, "little")
    return bitmap + b"\x01" + types + b"".join(contents)


def _parameter(value: JsonValue) -> tuple[int, int, bytes]:
    match value:
        case None:
            return Type.NULL, 0, b""
        case bool():
            return Type.TINY, 0, bytes([value])
        case int():
            return _whole_number(value)
        case float() if math.isfinite(value):
            return Type.DOUBLE, 0, struct.pack("<d", value)
        case str():
            return _instant(value) or (Type.VAR_STRING, 0, counted(value.encode()))
    return Type.VAR_STRING, 0, counted(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())


def _whole_number(value: int) -> tuple[int, int, bytes]:
    if LEAST <= value <= MOST:
        return Type.LONGLONG, 0, value.to_bytes(8, "little", signed=True)
    return Type.NEWDECIMAL, 0, counted(str(value).encode())


def _instant(text: str) -> tuple[int, int, bytes] | None:
    """A time with its offset, in UTC, since servers don't read the offset in a text."""
    if not RFC3339.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    parts = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    return Type.DATETIME, 0, b"\x0b" + struct.pack("<HBBBBBI", *parts, moment.microsecond)
