"""The dates of a calendar, a year at a time."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from cronny.calendars.content import (
    FIRST_YEAR,
    LAST_YEAR,
    Content,
    HolidaysContent,
    IcalContent,
    ListedContent,
)
from cronny.calendars.public import find_holidays


class CalendarDates:
    """A set of dates with their names; a year is worked out when it is first asked for."""

    def __init__(self, in_year: Callable[[int], Mapping[date, str]]) -> None:
        self._in_year = in_year
        self._years: dict[int, Mapping[date, str]] = {}

    def contains(self, day: date) -> bool:
        """Whether the day is one of them."""
        return day in self._year(day.year)

    def between(self, first: date, last: date) -> Iterator[tuple[date, str]]:
        """The dates from the first to the last, both included, each with its name."""
        for year in range(first.year, last.year + 1):
            found = self._year(year)
            yield from ((day, found[day]) for day in sorted(found) if first <= day <= last)

    def _year(self, year: int) -> Mapping[date, str]:
        if year not in self._years:
            self._years[year] = self._in_year(year)
        return self._years[year]


def dates_of(content: Content) -> CalendarDates:
    """The dates that a calendar's content stands for."""
    match content:
        case ListedContent():
            return CalendarDates(_listed(content.days))
        case IcalContent():
            return CalendarDates(_covered(content))
        case HolidaysContent():
            return CalendarDates(lambda year: find_holidays(content, year) if _is_known(year) else {})


def _listed(days: Mapping[date, str]) -> Callable[[int], Mapping[date, str]]:
    years: dict[int, dict[date, str]] = {}
    for day, name in days.items():
        years.setdefault(day.year, {})[day] = name
    return lambda year: years.get(year, {})


def _covered(content: IcalContent) -> Callable[[int], Mapping[date, str]]:
    listed = _listed(content.days)

    def in_year(year: int) -> Mapping[date, str]:
        found = dict(listed(year))
        for event in content.recurring if _is_known(year) else ():
            for day in event.covers(date(year, 1, 1), date(year, 12, 31)):
                found.setdefault(day, event.name)
        return found

    return in_year


def _is_known(year: int) -> bool:
    return FIRST_YEAR <= year <= LAST_YEAR
