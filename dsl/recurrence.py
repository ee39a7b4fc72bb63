"""The values a schedule's rule is made of: periods, days and times, each with its plain text."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

Unit = Literal["day", "week", "month", "year"]
UNITS: tuple[Unit, ...] = ("day", "week", "month", "year")

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
WORKDAYS = (0, 1, 2, 3, 4)
WEEKEND = (5, 6)
LAST = -1

# Moments and searches stay between these, so that no conversion to another zone can overflow.
FIRST_YEAR = 1970
LAST_YEAR = 2999


@dataclass(frozen=True)
class Period:
    """Every `step` calendar units; `Period(2, "week")` is every second week."""

    step: int
    unit: Unit

    def __str__(self) -> str:
        return self.unit if self.step == 1 else f"{self.step} {self.unit}s"


@dataclass(frozen=True, order=True)
class Weekday:
    """A day of the week; Monday is 0."""

    number: int

    def __str__(self) -> str:
        return WEEKDAYS[self.number]


@dataclass(frozen=True, order=True)
class MonthDay:
    """A day of a month, or its last one (`LAST`); `month` is set in yearly rules only."""

    day: int
    month: int = 0

    def __str__(self) -> str:
        if not self.month:
            return "last day" if self.day == LAST else ordinal(self.day)
        name = MONTHS[self.month - 1]
        return f"last day of {name}" if self.day == LAST else f"{self.day} {name}"


@dataclass(frozen=True, order=True)
class NthWeekday:
    """The nth (or `LAST`) day of a month that is one of `weekdays`; `month` is set in yearly rules only."""

    nth: int
    weekdays: tuple[int, ...]
    month: int = 0

    def __str__(self) -> str:
        place = "last" if self.nth == LAST else ordinal(self.nth)
        suffix = f" of {MONTHS[self.month - 1]}" if self.month else ""
        return f"{place} {self._name}{suffix}"

    @property
    def _name(self) -> str:
        if self.weekdays == WORKDAYS:
            return "weekday"
        return "weekend day" if self.weekdays == WEEKEND else WEEKDAYS[self.weekdays[0]]


Day = Weekday | MonthDay | NthWeekday


@dataclass(frozen=True, order=True)
class DateRange:
    """The dates from `first` to `last`, both included; a single date is both."""

    first: date
    last: date

    def __str__(self) -> str:
        if self.first == self.last:
            return self.first.isoformat()
        return f"{self.first.isoformat()} to {self.last.isoformat()}"


Exclusion = Day | DateRange
Every = Period | timedelta
Moment = date | datetime
At = tuple[time, ...] | datetime | timedelta


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `11th`."""
    suffixes = {1: "st", 2: "nd", 3: "rd"}
    teen = 10 <= number % 100 <= 20
    return f"{number}{'th' if teen else suffixes.get(number % 10, 'th')}"


def time_text(value: time) -> str:
    """`09:00`, or `09:00:30` where seconds are given."""
    return value.isoformat("seconds" if value.second else "minutes")


def moment_text(value: Moment) -> str:
    """RFC 3339 text: a date, a wall time without offset, or an instant ending in Z."""
    if not isinstance(value, datetime):
        return value.isoformat()
    if value.tzinfo is None:
        return f"{value.date().isoformat()}T{time_text(value.time())}"
    return value.isoformat().replace("+00:00", "Z")


def days_text(days: tuple[Day, ...]) -> str:
    """`monday and thursday`, `the 1st and the last friday`; reads back as the same days."""
    return joined(
        [text if _is_plain(day) else f"the {text}" for day, text in ((day, str(day)) for day in days)]
    )


def exclusions_text(exclusions: tuple[Exclusion, ...]) -> str:
    """`saturday and 2026-12-24 to 2027-01-02`; reads back as the same exclusions."""
    return joined([str(each) if isinstance(each, DateRange) else days_text((each,)) for each in exclusions])


def joined(parts: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _is_plain(day: Day) -> bool:
    return isinstance(day, Weekday) or (isinstance(day, MonthDay) and day.month > 0 and day.day != LAST)


def every_text(every: Every) -> str:
    """`2 weeks`, `1h20m`; hours are the largest unit of an interval, as a day is a calendar unit."""
    if isinstance(every, Period):
        return str(every)
    return "".join(f"{number}{unit[0]}" for number, unit in clock_parts(every))


def clock_parts(interval: timedelta) -> list[tuple[int, str]]:
    """Hours, minutes and seconds, those above zero."""
    minutes, seconds = divmod(int(interval.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return [(n, unit) for n, unit in ((hours, "hour"), (minutes, "minute"), (seconds, "second")) if n]


def texts_json(values: tuple[Exclusion, ...]) -> str | list[str]:
    """One value as a text, several as a list."""
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else texts


def at_json(at: At) -> str | list[str]:
    """Times as texts, a date in RFC 3339, a delay as `in 10m`."""
    if isinstance(at, timedelta):
        return f"in {every_text(at)}"
    if isinstance(at, datetime):
        return moment_text(at)
    return time_text(at[0]) if len(at) == 1 else [time_text(each) for each in at]
