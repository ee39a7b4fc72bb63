"""Amounts of memory as people write them: `256m`, `1g`."""

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}
_PATTERN = r"^[0-9]{1,6}[kmg]$"
LARGEST = 2**40  # more than a machine has


def parse_size(text: str) -> int:
    """The bytes that a text like `256m` names; raises ValueError with a message for people."""
    if not re.fullmatch(_PATTERN[1:-1], text):
        raise ValueError(f"'{text[:40]}' is not a size; write it like 512k, 256m or 1g")
    size = int(text[:-1]) * _UNITS[text[-1]]
    if not 0 < size <= LARGEST:
        raise ValueError(f"'{text}' is not between 1k and 1024g")
    return size


def format_size(size: int) -> str:
    """The text of a number of bytes, in the largest unit that it is a whole number of."""
    unit = next((name for name in ("g", "m", "k") if size % _UNITS[name] == 0), "k")
    return f"{size // _UNITS[unit]}{unit}"


def _read(value: object) -> int:
    if isinstance(value, str):
        return parse_size(value.strip().lower())
    if type(value) is int and value >= 2**20:  # bytes; a smaller number is one whose unit was forgotten
        return value
    raise ValueError("a size is a text like 512k, 256m or 1g")


Size = Annotated[
    int,
    BeforeValidator(_read),
    PlainSerializer(format_size, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "examples": ["256m", "1g"]}),
]
"""A number of bytes in Python, a text like `256m` in JSON."""
