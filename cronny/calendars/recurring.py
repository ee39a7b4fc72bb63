"""Events that recur: the days on which one begins, worked out for the years that somebody asks for.

dateutil's rrule would do the same, but it looks for the next date up to the year 9999, so that a rule that
never comes true takes it seconds; it is the oracle in the tests. The rules are those of RFC 5545, 3.3.10.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

Frequency = Literal["daily", "weekly", "monthly", "yearly"]
NthDay = tuple[int, int]  # which one of its month or year, 0 for each of them; and the day of the week


class Recurring(BaseModel):
    """An event that comes again: the days on which it begins, and how many it lasts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    frequency: Frequency
    interval: int = 1
    start: date
    until: date | None = None  # the last day on which it may begin
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()  # negative ones count from the month's end
    weekdays: tuple[NthDay, ...] = ()
    positions: tuple[int, ...] = ()  # which days of a period; negative ones count from its end
    week_start: int = 0
    left_out: tuple[date, ...] = ()
    lasts: int = 1  # days

    def covers(self, first: date, last: date) -> Iterator[date]:
        """The days between two days, both included, that it covers; one day may come twice."""
        left_out = set(self.left_out)
        for begin in self.begins(first - timedelta(days=self.lasts - 1), last):
            if begin not in left_out:
                days = (begin + timedelta(days=number) for number in range(self.lasts))
                yield from (day for day in days if first <= day <= last)

    def begins(self, first: date, last: date) -> Iterator[date]:
        """The days between two days, both included, on which its rule lets it begin, in order."""
        first, last = max(first, self.start), min(last, self.until or last)
        number = self._period(first)
        number += (self._period(self.start) - number) % self.interval
        while number <= self._period(last):
            yield from (day for day in self._chosen(number) if first <= day <= last)
            number += self.interval

    def _period(self, day: date) -> int:
        """The number of the day, week, month or year in which a day lies."""
        match self.frequency:
            case "daily":
                return day.toordinal()
            case "weekly":
                return (day.toordinal() - 1 - self.week_start) // 7  # day 1 of the calendar is a Monday
            case "monthly":
                return day.year * 12 + day.month - 1
            case "yearly":
                return day.year

    def _chosen(self, number: int) -> Sequence[date]:
        """The fitting days of a period, in order."""
        days = sorted(self._fitting(number))
        if not self.positions:
            return days
        places = {place - 1 if place > 0 else len(days) + place for place in self.positions}
        return [day for place, day in enumerate(days) if place in places]

    def _fitting(self, number: int) -> Iterator[date]:
        match self.frequency:
            case "daily":
                yield from self._of_days((date.fromordinal(number),))
            case "weekly":
                first = number * 7 + 1 + self.week_start
                yield from self._of_days([date.fromordinal(first + place) for place in range(7)])
            case "monthly":
                yield from self._of_month(number // 12, number % 12 + 1)
            case "yearly":
                for month in self.months or range(1, 13):
                    yield from self._of_month(number, month)

    def _of_days(self, days: Sequence[date]) -> Iterator[date]:
        weekdays = {weekday for _, weekday in self.weekdays}
        for day in days:
            if (not weekdays or day.weekday() in weekdays) and self._is_month_day(day):
                yield day

    def _is_month_day(self, day: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        if not self.month_days:
            return True
        return day.day in self.month_days or day.day - _length(day) - 1 in self.month_days

    def _of_month(self, year: int, month: int) -> Iterator[date]:
        if self.months and month not in self.months:
            return
        length = monthrange(year, month)[1]
        numbers = {number if number > 0 else length + 1 + number for number in self.month_days}
        for number in numbers or range(1, length + 1):
            if 1 <= number <= length and self._is_weekday(day := date(year, month, number)):
                yield day

    def _is_weekday(self, day: date) -> bool:
        weekday = day.weekday()
        for nth, wanted in self.weekdays:
            if wanted == weekday and nth in (0, *self._nth(day)):
                return True
        return not self.weekdays

    def _nth(self, day: date) -> tuple[int, int]:
        """Which one of its weekday this is, from the beginning and from the end of its month or year."""
        if self.frequency == "yearly" and not self.months:
            place, length = day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday
        else:
            place, length = day.day, _length(day)
        return (place - 1) // 7 + 1, -((length - place) // 7 + 1)


def _length(day: date) -> int:
    return monthrange(day.year, day.month)[1]
