"""Which dates a schedule keeps: what it leaves out, which calendars it follows, where a lost day goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, takewhile

from cronny.scheduling.datesets import DateSet
from cronny.scheduling.days import END, Dates, is_day
from dsl.options import Roll
from dsl.recurrence import WORKDAYS, DateRange, Exclusion

_DAY = timedelta(days=1)
_FARTHEST = 31  # days that a fire is moved at the most; behind them it is left out
_PATIENCE = 36_600  # dates in a row that are not kept, a hundred years: no later one will be


@dataclass(frozen=True)
class Keeping:
    """The dates that a schedule keeps."""

    exclude: Sequence[Exclusion] = ()
    only: Sequence[DateSet] = ()
    excluded: Sequence[DateSet] = ()
    roll: Roll = "skip"

    def __bool__(self) -> bool:
        return bool(self.exclude or self.only or self.excluded or self.roll != "skip")

    def keeps(self, day: date) -> bool:
        """Whether what fires on the day fires on that day."""
        if self._is_excluded(day):
            return False
        return self._is_wanted(day) if self.roll == "skip" else self.is_business(day)

    def is_business(self, day: date) -> bool:
        """Whether the day is a business day: of the calendars that are wanted, else Monday to Friday."""
        return self._is_wanted(day) and (bool(self.only) or day.weekday() in WORKDAYS)

    def place(self, day: date) -> date | None:
        """The date on which what fires on the day fires in fact."""
        if self._is_excluded(day):
            return None
        if self.roll == "skip" or self.keeps(day):
            return day if self.keeps(day) else None
        if self.roll == "previous":
            return self._nearest(day, -1)
        following = self._nearest(day, 1)
        if self.roll == "next" or (following is not None and following.month == day.month):
            return following
        return self._nearest(day, -1)

    def next_kept(self, day: date) -> date | None:
        """The first date after the day that is kept."""
        until = min(END, day + _PATIENCE * _DAY) if (END - day).days > _PATIENCE else END
        later = takewhile(lambda each: each <= until, (day + _DAY * number for number in count(1)))
        return next((each for each in later if self.keeps(each)), None)

    def _nearest(self, day: date, way: int) -> date | None:
        near = (day + _DAY * way * number for number in range(1, _FARTHEST + 1))
        return next((each for each in near if self.keeps(each)), None)

    def _is_excluded(self, day: date) -> bool:
        return any(_matches(each, day, self) for each in self.exclude)

    def _is_wanted(self, day: date) -> bool:
        if self.only and not any(dates.contains(day) for dates in self.only):
            return False
        return not any(dates.contains(day) for dates in self.excluded)


@dataclass(frozen=True)
class Kept:
    """The dates of a rule where the schedule keeps them or moves them to; implements Dates."""

    dates: Dates
    keeping: Keeping

    def since(self, day: date) -> Iterator[date]:
        """The dates from `day` on, in order, each once."""
        # No way of moving turns two dates around, so that what follows is in order.
        last, rest = None, _PATIENCE
        begin = day if self.keeping.roll == "skip" else day - _FARTHEST * _DAY
        for each in self.dates.since(begin):
            place = self.keeping.place(each)
            if place is not None and place >= day and place != last:
                yield place
                last, rest = place, _PATIENCE
            elif (rest := rest - 1) == 0:
                return


def _matches(exclusion: Exclusion, day: date, keeping: Keeping) -> bool:
    if isinstance(exclusion, DateRange):
        return exclusion.first <= day <= exclusion.last
    return is_day(exclusion, day, keeping.is_business)
