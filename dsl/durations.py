"""Durations as tenants write them: `30s`, `1h 20m`, `500ms`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_PATTERN = r"^\s*\d{1,12}\s*(ms|[smhdw])(\s*\d{1,12}\s*(ms|[smhdw]))*\s*$"
_WHOLE = re.compile(_PATTERN, re.ASCII)
_PART = re.compile(r"(\d+)\s*(ms|[smhdw])", re.ASCII)
_LONGEST = timedelta(days=3660)  # ten years: beyond any schedule, far below what timestamps can hold


def parse_duration(text: str) -> timedelta:
    """The duration that a text like `1h 20m` names; raises ValueError with a message for people."""
    if not _WHOLE.match(text):
        raise ValueError(f"'{text[:40]}' is not a duration; write it like 30s, 5m or 1h 20m")
    total = timedelta()
    for number, unit in _PART.findall(text):
        if int(number) > _LONGEST / _UNITS[unit]:
            raise ValueError(f"'{text[:40]}' is longer than ten years")
        total += int(number) * _UNITS[unit]
    if total > _LONGEST:
        raise ValueError(f"'{text[:40]}' is longer than ten years")
    return total


def format_duration(duration: timedelta) -> str:
    """The shortest text of a duration in whole milliseconds, largest units first: `1h20m`."""
    rest = duration
    parts = []
    for unit, size in _UNITS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _read(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} has no unit; write it like {value}s or {value}m")
    if not isinstance(value, str):
        raise ValueError("a duration is a text like 30s, 5m or 1h 20m")
    return parse_duration(value)


Duration = Annotated[
    timedelta,
    BeforeValidator(_read),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "examples": ["30s", "5m", "1h 20m"]}),
]
"""A timedelta in Python, a text like `1h20m` in JSON."""
