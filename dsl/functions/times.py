"""Functions of given times; there is none that asks a clock."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from dsl.functions.function import Form, Group, TypeName, Types, free, member
from dsl.problems import did_you_mean
from dsl.zones import find_zone, zone, zone_hint

# Of strftime's codes those that mean the same everywhere.
CODES: Final = frozenset("YmdHMSfjaAbBpIzZVGu%y")
LONGEST = 200  # characters of a layout
_CODE = re.compile(r"%(.?)", re.DOTALL)
_ELAPSED: Final = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
}
_DAYS: Final = {"day": 1, "week": 7}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_UNITS: Final = (*_ELAPSED, *_DAYS, *_MONTHS)
_MOST = 1_000_000  # units that are added; enough for years in minutes


def _parse(text: str, layout: str, place: str = "UTC") -> datetime:
    _check_layout(layout)
    try:
        moment = datetime.strptime(text, layout)  # noqa: DTZ007 - its zone is set below
    except ValueError:
        raise ValueError(f"'{text[:40]}' is not written like '{layout[:40]}'") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=_place(place))).astimezone(UTC)


def _format(moment: datetime, layout: str, place: str = "UTC") -> str:
    _check_layout(layout)
    return moment.astimezone(_place(place)).strftime(layout)


def _in_zone(moment: datetime, place: str) -> str:
    local = moment.astimezone(_place(place)).isoformat()
    return local.removesuffix("+00:00") + "Z" if local.endswith("+00:00") else local


def _start_of(moment: datetime, unit: str, place: str = "UTC") -> datetime:
    _check_unit(unit)
    local = moment.astimezone(_place(place))
    if unit in _ELAPSED:
        kept = {"second": local, "minute": local.replace(second=0), "hour": local.replace(minute=0, second=0)}
        return kept[unit].replace(microsecond=0).astimezone(UTC)
    day = local.date()
    if unit == "week":
        day -= timedelta(days=day.weekday())
    elif unit in _MONTHS:
        months = _MONTHS[unit]
        day = date(day.year, (day.month - 1) // months * months + 1, 1)
    return datetime.combine(day, time(), local.tzinfo).astimezone(UTC)


def _add(moment: datetime, count: int, unit: str, place: str = "UTC") -> datetime:
    _check_unit(unit)
    if abs(count) > _MOST:
        raise ValueError(f"{count} {unit}s are too many; {_MOST} at most")
    if unit in _ELAPSED:
        return moment + count * _ELAPSED[unit]
    local = moment.astimezone(_place(place))
    if unit in _DAYS:
        # The time of the day stays, whatever the clock does in between.
        return (local + timedelta(days=count * _DAYS[unit])).astimezone(UTC)
    return _months_later(local, count * _MONTHS[unit]).astimezone(UTC)


def _months_later(local: datetime, months: int) -> datetime:
    """The same day of a later month, or its last one."""
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise ValueError("the result is no time that a calendar has")
    return local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))


def _weekday(moment: datetime, place: str = "UTC") -> str:
    return moment.astimezone(_place(place)).strftime("%A").lower()


def _place(name: str) -> ZoneInfo:
    known = find_zone(name)
    if known is None:
        raise ValueError(f"there is no time zone '{name[:40]}'; {zone_hint(name[:40])}")
    return zone(known)


def _check_layout(layout: str) -> None:
    if len(layout) > LONGEST:
        raise ValueError(f"a layout has {LONGEST} characters at most")
    for found in _CODE.finditer(layout):
        if not found[1] or found[1] not in CODES:
            raise ValueError(f"a layout has no '{found[0]}'; such as '%Y-%m-%d %H:%M:%S'")


def _check_unit(unit: str) -> None:
    if unit not in _UNITS:
        hint = did_you_mean(unit[:20], _UNITS) or f"the units are {', '.join(_UNITS)}"
        raise ValueError(f"there is no unit '{unit[:20]}'; {hint}")


def _moment(given: Any) -> datetime:
    """A time, which outputs hold as a text."""
    if isinstance(given, datetime):
        return given
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError(f"'{given[:40]}' is not a time like 2026-03-20T09:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"'{given[:40]}' has no offset; read it with time.parse")
    return moment


def _forms(gives: TypeName, call: Callable[..., Any], *takes: TypeName) -> list[Form]:
    """The forms for a time or its text, with and without a zone at the end."""

    def of_moment(given: Any, *rest: Any) -> Any:
        try:
            return call(_moment(given), *rest)
        except OverflowError:
            raise ValueError("the result is no time that a calendar has") from None

    firsts: Types = ("timestamp", "string")
    places: tuple[Types, ...] = ((), ("string",))
    return [Form((first, *takes, *place), gives, of_moment) for first in firsts for place in places]


_NOON = "timestamp('2026-11-24T12:30:15Z')"

TIMES = Group(
    "Times",
    (
        free(
            "timestamp(text)",
            "The time that a text like `2026-11-24T09:00:00Z` or a number of seconds since 1970 names.",
            "timestamp('2026-11-24T09:00:00+01:00')",
            "2026-11-24T08:00:00Z",
        ),
        free(
            "duration(text)",
            "A span like `90m` or `1h30m`; it can be added to a time.",
            f"{_NOON} + duration('1h')",
            "2026-11-24T13:30:15Z",
        ),
        free(
            "time.parse(text, layout, zone)",
            "The time of a text, read by a layout of `strftime` codes; in UTC unless a zone is given.",
            "time.parse('24.11.2026 09:00', '%d.%m.%Y %H:%M', 'Europe/London')",
            "2026-11-24T09:00:00Z",
            Form(("string", "string"), "timestamp", _parse),
            Form(("string", "string", "string"), "timestamp", _parse),
        ),
        free(
            "time.format(time, layout, zone)",
            "The text of a time; the codes are " + ", ".join(f"`%{code}`" for code in sorted(CODES)) + ".",
            f"time.format({_NOON}, '%A, %d %B, %H:%M', 'America/New_York')",
            "Tuesday, 24 November, 07:30",
            *_forms("string", _format, "string"),
        ),
        free(
            "time.inZone(time, zone)",
            "The time with the offset of a place.",
            f"time.inZone({_NOON}, 'Asia/Kolkata')",
            "2026-11-24T18:00:15+05:30",
            *[form for form in _forms("string", _in_zone, "string") if len(form.takes) == 2],
        ),
        free(
            "time.startOf(time, unit, zone)",
            "When the second, minute, hour, day, week (on Monday), month, quarter or year began.",
            f"time.startOf({_NOON}, 'month', 'Europe/Paris')",
            "2026-10-31T23:00:00Z",
            *_forms("timestamp", _start_of, "string"),
        ),
        free(
            "time.add(time, count, unit, zone)",
            "So many units later, or earlier; days and longer ones keep the time of the day of a place, and "
            "a day that a month does not have becomes its last.",
            "time.add('2026-01-31T09:00:00Z', 1, 'month')",
            "2026-02-28T09:00:00Z",
            *_forms("timestamp", _add, "int", "string"),
        ),
        free(
            "time.weekday(time, zone)",
            "The name of the day of the week.",
            f"time.weekday({_NOON})",
            "tuesday",
            *_forms("string", _weekday),
        ),
        member(
            "time.getHours(zone)",
            "A part of a time; `getFullYear`, `getMonth` (from 0), `getDate`, `getDayOfWeek` (Sunday is 0), "
            "`getDayOfYear`, `getMinutes`, `getSeconds` and `getMilliseconds` likewise.",
            f"{_NOON}.getHours('Europe/Paris')",
            13,
        ),
    ),
)
