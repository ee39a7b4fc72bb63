"""How values of databases are written as JSON; what a JSON number cannot hold exactly becomes a text."""

import json
import math
import re
from decimal import Decimal

from pydantic import JsonValue

LEAST, MOST = -(2**63), 2**63 - 1  # whole numbers of the expression language


def whole(value: int) -> JsonValue:
    """A whole number, or its text if expressions could not hold it."""
    return value if LEAST <= value <= MOST else str(value)


def number(value: float) -> JsonValue:
    """A number, or `NaN`, `Infinity`, `-Infinity`."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"


def decimal(value: Decimal) -> JsonValue:
    """A decimal number; without fraction a whole one, and a text if a double could not hold it exactly."""
    if not value.is_finite():
        return number(float(value))
    if value.as_tuple().exponent == 0:
        return whole(int(value)) if value.adjusted() < 30 else str(value)
    near = float(value)
    return near if math.isfinite(near) and Decimal(repr(near)) == value else format(value, "f")


def parsed(text: str) -> JsonValue:
    """The value of a JSON text, whose numbers keep to the same rules."""
    value: JsonValue = json.loads(
        text, parse_int=_whole, parse_float=_fraction, parse_constant=lambda name: name
    )
    return value


def _whole(text: str) -> JsonValue:
    return whole(int(text)) if len(text) < 30 else text


def _fraction(text: str) -> JsonValue:
    near = float(text)
    return near if math.isfinite(near) else text


RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)  # a time with its offset, such as `trigger.due`
