"""Functions of numbers."""

import math
from decimal import ROUND_HALF_UP, Decimal

from dsl.functions.function import Form, Group, free

DIGITS = 15  # behind the point; a double has no more


def _round_to(number: float, digits: int) -> float:
    if not 0 <= digits <= DIGITS:
        raise ValueError(f"a number is rounded to 0 to {DIGITS} digits")
    if not math.isfinite(number) or abs(number) >= 1e15:
        return number
    # As people round: 2.675, which is a little less in binary, to 2.68.
    return float(Decimal(repr(number)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        raise ValueError("the result is too large") from None


NUMBERS = Group(
    "Numbers",
    (
        free("int(x)", "A whole number of a text or a decimal, cut off.", "int('7') + int(2.9)", 9),
        free("double(x)", "A decimal of a text or a whole number.", "double(7) / 2.0", 3.5),
        free("math.round(x)", "The nearest whole number, as a decimal.", "math.round(2.5)", 3.0),
        free(
            "math.roundTo(x, digits)",
            "Rounded to so many digits behind the point.",
            "math.roundTo(2.675, 2)",
            2.68,
            Form(("double", "int"), "double", _round_to),
        ),
        free("math.floor(x)", "The next whole number below.", "math.floor(2.9)", 2.0),
        free("math.ceil(x)", "The next whole number above.", "math.ceil(2.1)", 3.0),
        free("math.trunc(x)", "Without what is behind the point.", "math.trunc(-2.9)", -2.0),
        free("math.abs(x)", "Without its sign.", "math.abs(-2)", 2),
        free("math.sign(x)", "-1, 0 or 1.", "math.sign(-2)", -1),
        free("math.least(x, y, …)", "The least of some numbers, or of a list.", "math.least(2, 1)", 1),
        free("math.greatest(x, y, …)", "The greatest likewise.", "math.greatest([2, 1])", 2),
        free("math.sqrt(x)", "The square root.", "math.sqrt(9.0)", 3.0),
        free(
            "math.pow(x, y)",
            "The power.",
            "math.pow(2.0, 10.0)",
            1024.0,
            Form(("double", "double"), "double", _power),
        ),
    ),
)
