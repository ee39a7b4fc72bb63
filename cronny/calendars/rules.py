"""The RRULE of an event, as far as it is about days."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import islice
from typing import TypeVar

from icalendar import vRecur

from cronny.calendars.content import LAST_YEAR
from cronny.calendars.lines import Line
from cronny.calendars.recurring import Frequency, NthDay, Recurring

MOST = 10_000  # occurrences that a COUNT may ask for
MOST_VALUES = 62  # the days of a month, from its beginning and from its end
Value = TypeVar("Value")
_FREQUENCIES: dict[str, Frequency] = {
    "DAILY": "daily",
    "WEEKLY": "weekly",
    "MONTHLY": "monthly",
    "YEARLY": "yearly",
}
# Years in which a COUNT must be reached: each day of them takes a microsecond.
_SEARCHED: dict[Frequency, int] = {"daily": 20, "weekly": 20, "monthly": 50, "yearly": 100}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_KNOWN = {
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST",
}  # fmt: skip


def read_rule(line: Line, start: date) -> Recurring:
    """The days of a rule that begins on `start`, without a name; raises LineError."""
    parts = _parts(line)
    frequency = _frequency(line, parts)
    rule = Recurring(
        name="",
        frequency=frequency,
        interval=_number(line, parts, "INTERVAL", 1, 10_000) or 1,
        start=start,
        until=_until(line, parts),
        months=_numbers(line, parts, "BYMONTH", 1, 12),
        month_days=_numbers(line, parts, "BYMONTHDAY", -31, 31),
        weekdays=_weekdays(line, parts, frequency),
        positions=_numbers(line, parts, "BYSETPOS", -366, 366),
        week_start=_week_start(line, parts),
    )
    return _counted(_filled(rule), line, parts)


def _parts(line: Line) -> dict[str, Sequence[object]]:
    try:
        parts = {str(name).upper(): value for name, value in vRecur.from_ical(line.value()).items()}
    except (ValueError, OverflowError, RecursionError) as error:
        raise line.error("RRULE", str(error)[:200] or "cannot be read") from None
    for name, value in parts.items():
        if name not in _KNOWN:
            hint = "days are told by BYMONTH, BYMONTHDAY, BYDAY and BYSETPOS"
            raise line.error("RRULE", f"'{name[:40]}' is not supported", hint, "not_supported")
        parts[name] = value if isinstance(value, list) else [value]
    return parts


def _frequency(line: Line, parts: dict[str, Sequence[object]]) -> Frequency:
    (given,) = parts.get("FREQ") or ("",)
    if str(given) not in _FREQUENCIES:
        raise line.error("RRULE", f"FREQ is '{given}'", f"it may be {', '.join(_FREQUENCIES)}")
    return _FREQUENCIES[str(given)]


def _until(line: Line, parts: dict[str, Sequence[object]]) -> date | None:
    if "UNTIL" in parts and "COUNT" in parts:
        raise line.error("RRULE", "has both UNTIL and COUNT", "leave one out")
    for given in parts.get("UNTIL", ()):
        if isinstance(given, datetime):
            return given.date()
        if isinstance(given, date):
            return given
        raise line.error("RRULE", "UNTIL is not a date", "write it such as 20261225")
    return None


def _weekdays(line: Line, parts: dict[str, Sequence[object]], frequency: Frequency) -> tuple[NthDay, ...]:
    found = []
    for given in parts.get("BYDAY", ()):
        text = str(given).upper()
        nth, weekday = int(text[:-2] or 0), _WEEKDAYS.index(text[-2:])
        if nth and frequency in {"daily", "weekly"}:
            hint = "only a month or a year has a first or last one"
            raise line.error("RRULE", f"BYDAY={text[:10]} does not go with FREQ={frequency.upper()}", hint)
        if abs(nth) > 53:
            raise line.error("RRULE", f"BYDAY={text[:10]} is in no year")
        found.append((nth, weekday))
    return _few(line, "BYDAY", found)


def _week_start(line: Line, parts: dict[str, Sequence[object]]) -> int:
    (given,) = parts.get("WKST") or ("MO",)
    return _WEEKDAYS.index(str(given).upper()[-2:])


def _number(line: Line, parts: dict[str, Sequence[object]], name: str, least: int, most: int) -> int | None:
    numbers = _numbers(line, parts, name, least, most)
    if len(numbers) > 1:
        raise line.error("RRULE", f"{name} has more than one value")
    return numbers[0] if numbers else None


def _numbers(
    line: Line, parts: dict[str, Sequence[object]], name: str, least: int, most: int
) -> tuple[int, ...]:
    found = []
    for given in parts.get(name, ()):
        number = int(str(given)) if str(given).lstrip("+-").isdecimal() else 0
        if not number or not least <= number <= most:
            raise line.error("RRULE", f"{name}={str(given)[:20]} is outside {least} to {most}")
        found.append(number)
    return _few(line, name, found)


def _few(line: Line, name: str, values: Iterable[Value]) -> tuple[Value, ...]:
    """The values, each once; a day is compared with all of them."""
    found = tuple(dict.fromkeys(values))
    if len(found) > MOST_VALUES:
        raise line.error("RRULE", f"{name} has more than {MOST_VALUES} values", code="limit")
    return found


def _filled(rule: Recurring) -> Recurring:
    """The rule with what it leaves to its first day."""
    if rule.month_days or rule.weekdays or rule.frequency == "daily":
        return rule
    if rule.frequency == "weekly":
        return rule.model_copy(update={"weekdays": ((0, rule.start.weekday()),)})
    months = rule.months or ((rule.start.month,) if rule.frequency == "yearly" else ())
    return rule.model_copy(update={"months": months, "month_days": (rule.start.day,)})


def _counted(rule: Recurring, line: Line, parts: dict[str, Sequence[object]]) -> Recurring:
    """The rule with its COUNT told as the last day on which it may begin."""
    count = _number(line, parts, "COUNT", 1, MOST)
    if count is None:
        return rule
    years = _SEARCHED[rule.frequency]
    last = min(rule.start.year + years, LAST_YEAR)
    days = list(islice(rule.begins(rule.start, date(last, 12, 31)), count))
    if len(days) == count:
        return rule.model_copy(update={"until": days[-1]})
    if last < LAST_YEAR:
        raise line.error("RRULE", f"COUNT={count} is not reached in {years} years", code="limit")
    return rule  # It is not reached before all calendars end.
