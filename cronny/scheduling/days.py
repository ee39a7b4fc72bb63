"""The dates on which a calendar rule fires, before any clock is looked at."""

from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from dsl.recurrence import (
    LAST,
    LAST_YEAR,
    WORKDAYS,
    BusinessDay,
    Day,
    MonthDay,
    NthWeekday,
    Period,
    Unit,
    Weekday,
)

END = date(LAST_YEAR, 12, 31)
IsBusiness = Callable[[date], bool]


class Dates(Protocol):
    """Dates in order."""

    def since(self, day: date) -> Iterator[date]:
        """The dates from `day` on, in order; none later than the last year of all rules."""


def is_workday(day: date) -> bool:
    """Whether the day is one from Monday to Friday."""
    return day.weekday() in WORKDAYS


def is_day(wanted: Day, day: date, is_business: IsBusiness = is_workday) -> bool:
    """Whether the date is that day of its week, month or year."""
    if isinstance(wanted, Weekday):
        return day.weekday() == wanted.number
    if wanted.month not in {0, day.month}:
        return False
    month = _Month(day.year, day.month, *monthrange(day.year, day.month))
    return _day_number(wanted, month, is_business) == day.day


@dataclass(frozen=True)
class Days:
    """The days `on` of every `period`; where periods are left out, they count from the one of `origin`.

    Implements Dates.
    """

    period: Period
    on: tuple[Day, ...]
    origin: date
    is_business: IsBusiness = is_workday

    def since(self, day: date) -> Iterator[date]:
        """The dates from `day` on, in order; none later than the last year of all rules."""
        unit, step = self.period.unit, self.period.step
        number = _period_of(day, unit)
        number += (_period_of(self.origin, unit) - number) % step
        last = _period_of(END, unit)
        while number <= last:
            yield from (each for each in self._dates(number) if day <= each <= END)
            number += step

    def _dates(self, number: int) -> Sequence[date]:
        match self.period.unit:
            case "day":
                return (date.fromordinal(number),)
            case "week":
                return _in_week(number, self.on)
            case "month":
                return self._in_month(number // 12, number % 12 + 1, self.on)
            case "year":
                return sorted({each for day in self.on for each in self._in_year(number, day)})

    def _in_year(self, year: int, day: Day) -> Sequence[date]:
        return () if isinstance(day, Weekday) else self._in_month(year, day.month, (day,))

    def _in_month(self, year: int, month: int, on: tuple[Day, ...]) -> Sequence[date]:
        whole = _Month(year, month, *monthrange(year, month))
        found = {_day_number(day, whole, self.is_business) for day in on}
        return [date(year, month, number) for number in sorted(found - {0})]


@dataclass(frozen=True)
class _Month:
    """A month that begins on weekday `first`."""

    year: int
    number: int
    first: int
    length: int


def _period_of(day: date, unit: Unit) -> int:
    """The number of the day, week (from Monday), month or year that a date lies in."""
    match unit:
        case "day":
            return day.toordinal()
        case "week":
            return (day.toordinal() - 1) // 7  # day 1 of the calendar is a Monday
        case "month":
            return day.year * 12 + day.month - 1
        case "year":
            return day.year


def _in_week(number: int, on: tuple[Day, ...]) -> Sequence[date]:
    monday = number * 7 + 1
    return sorted({date.fromordinal(monday + day.number) for day in on if isinstance(day, Weekday)})


def _day_number(day: Day, month: _Month, is_business: IsBusiness) -> int:
    """The day's number in a month, or 0 where the month lacks it."""
    numbers = range(1, month.length + 1)
    match day:
        case MonthDay():
            number = month.length if day.day == LAST else day.day
            return number if number <= month.length else 0
        case NthWeekday():
            return _nth([each for each in numbers if (month.first + each - 1) % 7 in day.weekdays], day.nth)
        case BusinessDay():
            fitting = [each for each in numbers if is_business(date(month.year, month.number, each))]
            return _nth(fitting, day.nth)
        case Weekday():
            return 0


def _nth(numbers: Sequence[int], nth: int) -> int:
    place = len(numbers) if nth == LAST else nth
    return numbers[place - 1] if 1 <= place <= len(numbers) else 0
