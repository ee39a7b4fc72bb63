"""Dates, times and intervals between PostgreSQL's numbers and texts.

Python's own types know no infinity, no year beyond 9999 or before 1, no 24:00, and no months in a timedelta;
PostgreSQL does.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from pydantic import JsonValue

from dsl.durations import parse_duration

SECOND = 1_000_000  # microseconds
DAY = 86_400 * SECOND
EPOCH = date(2000, 1, 1).toordinal()  # PostgreSQL counts from here.
ENDLESS = {"infinity": 1, "-infinity": -1}

_DATE = re.compile(r"(\d{4,7})-(\d\d)-(\d\d)(.*?)( BC)?", re.ASCII | re.DOTALL)
_INTERVAL = re.compile(
    r"P(?:([-+]?\d+)Y)?(?:([-+]?\d+)M)?(?:([-+]?\d+)W)?(?:([-+]?\d+)D)?"
    r"(?:T(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?\d+(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)


def date_text(fields: Sequence[int]) -> str:
    """`2026-03-29`, `0044-03-15 BC` or `infinity`."""
    (days,) = fields
    return _endless(days, 31) or _with_era(days, "")


def date_fields(value: JsonValue) -> tuple[int]:
    """The days of a date; a time of day behind it is left out."""
    text = _text_of(value)
    if text in ENDLESS:
        return (_edge(text, 31),)
    moment_fields(text)  # Also what is left out must be a time.
    return (_days(text)[0],)


def local_text(fields: Sequence[int]) -> str:
    """`2026-03-29T01:30:00`: a timestamp without zone."""
    return _endless(fields[0], 63) or _with_era(fields[0] // DAY, f"T{_clock(fields[0] % DAY)}")


def instant_text(fields: Sequence[int]) -> str:
    """`2026-03-29T01:30:00+00:00`: a timestamp with zone, which is always given in UTC."""
    return _endless(fields[0], 63) or _with_era(fields[0] // DAY, f"T{_clock(fields[0] % DAY)}+00:00")


def moment_fields(value: JsonValue) -> tuple[int]:
    """The microseconds of a timestamp; an offset is applied, and without one it is UTC."""
    text = _text_of(value)
    if text in ENDLESS:
        return (_edge(text, 63),)
    days, rest = _days(text)
    if not rest:
        return (days * DAY,)
    clock = datetime.fromisoformat(f"2000-01-03{rest}")  # Any date, for the offset may lead beyond midnight.
    moment = clock if clock.tzinfo else clock.replace(tzinfo=UTC)
    return (days * DAY + (moment - datetime(2000, 1, 3, tzinfo=UTC)) // timedelta(microseconds=1),)


def time_text(fields: Sequence[int]) -> str:
    """`01:30:00`; the end of a day is `24:00:00`."""
    return _clock(fields[0])


def time_fields(value: JsonValue) -> tuple[int]:
    """The microseconds of a time of day."""
    return (_micros(_text_of(value)),)


def zoned_time_text(fields: Sequence[int]) -> str:
    """`01:30:00+02:00`."""
    minutes, seconds = divmod(abs(fields[1]), 60)
    hours, minutes = divmod(minutes, 60)
    rest = f":{seconds:02}" if seconds else ""
    # PostgreSQL counts an offset to the west.
    return f"{_clock(fields[0])}{'-' if fields[1] > 0 else '+'}{hours:02}:{minutes:02}{rest}"


def zoned_time_fields(value: JsonValue) -> tuple[int, int]:
    """The microseconds of a time of day and its offset, which is zero if none is given."""
    text = _text_of(value)
    found = re.fullmatch(r"(24:00(?::00)?)(.*)", text)
    moment = time.fromisoformat(f"00:00{found[2]}" if found else text)
    offset = moment.utcoffset() or timedelta()
    return DAY if found else _micros_of(moment), -int(offset.total_seconds())


def interval_text(fields: Sequence[int]) -> str:
    """ISO 8601, as in `P1M2DT3H`: a month is no number of days, nor a day one of hours."""
    months, days, micros = fields
    years, months = _quotient(months, 12)
    hours, micros = _quotient(micros, 3600 * SECOND)
    minutes, micros = _quotient(micros, 60 * SECOND)
    seconds, fraction = _quotient(micros, SECOND)
    sign = "-" if micros < 0 else ""
    exact = f"{sign}{abs(seconds)}" + (f".{abs(fraction):06}".rstrip("0") if fraction else "")
    dates = "".join(
        f"{number}{unit}" for number, unit in ((years, "Y"), (months, "M"), (days, "D")) if number
    )
    times = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M")) if number)
    times += f"{exact}S" if micros or not (dates or times) else ""
    return f"P{dates}" + (f"T{times}" if times else "")


def interval_fields(value: JsonValue) -> tuple[int, int, int]:
    """Months, days and microseconds of `P1M2DT3H`, `1h 20m` or a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 0, 0, round(value * SECOND)
    text = _text_of(value)
    found = _INTERVAL.fullmatch(text)
    if found is None or not any(found.groups()):
        return 0, 0, parse_duration(text) // timedelta(microseconds=1)
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in found.groups()[:6])
    micros = (hours * 3600 + minutes * 60) * SECOND + round(float(found[7] or 0) * SECOND)
    return years * 12 + months, weeks * 7 + days, micros


def _text_of(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    raise TypeError("expected a text")


def _edge(text: str, bits: int) -> int:
    return (1 << bits) - 1 if ENDLESS[text] > 0 else -(1 << bits)


def _endless(number: int, bits: int) -> str:
    return next((text for text in ENDLESS if _edge(text, bits) == number), "")


def _quotient(number: int, by: int) -> tuple[int, int]:
    """Quotient and rest, both with the sign of the number."""
    whole, rest = divmod(abs(number), by)
    return (whole, rest) if number >= 0 else (-whole, -rest)


def _clock(micros: int) -> str:
    seconds, fraction = divmod(micros, SECOND)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}" + (f".{fraction:06}" if fraction else "")


def _micros(text: str) -> int:
    return DAY if text in ("24:00", "24:00:00") else _micros_of(time.fromisoformat(text))


def _micros_of(moment: time) -> int:
    seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
    return seconds * SECOND + moment.microsecond


def _with_era(days: int, rest: str) -> str:
    year, month, day = _civil(days)
    era = " BC" if year <= 0 else ""
    return f"{year if year > 0 else 1 - year:04}-{month:02}-{day:02}{rest}{era}"


def _days(text: str) -> tuple[int, str]:
    """The days of the date that a text begins with, and what follows it."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a date like 2026-03-29, with or without a time")
    year, month, day = (int(part) for part in found.groups()[:3])
    year = 1 - year if found[5] else year
    # Every 400 years the calendar is the same; Python's own knows some of them.
    cycles, inner = divmod(year - 2000, 400)
    return date(2000 + inner, month, day).toordinal() - EPOCH + cycles * 146_097, found[4]


def _civil(days: int) -> tuple[int, int, int]:
    cycles, inner = divmod(days, 146_097)
    day = date.fromordinal(EPOCH + inner)
    return day.year + cycles * 400, day.month, day.day
