"""The dates on which a calendar rule fires, before any clock is looked at."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from dsl.recurrence import LAST, LAST_YEAR, Day, MonthDay, NthWeekday, Period, Unit, Weekday

_END = date(LAST_YEAR, 12, 31)


@dataclass(frozen=True)
class Days:
    """The days `on` of every `period`; where periods are left out, they count from the one of `origin`."""

    period: Period
    on: tuple[Day, ...]
    origin: date

    def since(self, day: date) -> Iterator[date]:
        """The dates from `day` on, in order; none later than the last year of all rules."""
        unit, step = self.period.unit, self.period.step
        number = _period_of(day, unit)
        number += (_period_of(self.origin, unit) - number) % step
        last = _period_of(_END, unit)
        while number <= last:
            yield from (each for each in self._dates(number) if day <= each <= _END)
            number += step

    def _dates(self, number: int) -> Sequence[date]:
        match self.period.unit:
            case "day":
                return (date.fromordinal(number),)
            case "week":
                return _in_week(number, self.on)
            case "month":
                return _in_month(number // 12, number % 12 + 1, self.on)
            case "year":
                return sorted({each for day in self.on for each in _in_year(number, day)})


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


def _in_year(year: int, day: Day) -> Sequence[date]:
    return () if isinstance(day, Weekday) else _in_month(year, day.month, (day,))


def _in_month(year: int, month: int, on: tuple[Day, ...]) -> Sequence[date]:
    first, length = monthrange(year, month)
    found = {_day_number(day, first, length) for day in on}
    return [date(year, month, number) for number in sorted(found - {0})]


def _day_number(day: Day, first: int, length: int) -> int:
    """The day's number in a month that begins on weekday `first`, or 0 where the month lacks it."""
    match day:
        case MonthDay():
            number = length if day.day == LAST else day.day
            return number if number <= length else 0
        case NthWeekday():
            fitting = [number for number in range(1, length + 1) if (first + number - 1) % 7 in day.weekdays]
            place = len(fitting) if day.nth == LAST else day.nth
            return fitting[place - 1] if place <= len(fitting) else 0
        case Weekday():
            return 0
