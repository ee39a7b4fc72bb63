"""The rule of a schedule while it is being read: what was given, where, and whether it fits together."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from dsl.exclusions import Excluded
from dsl.options import Roll
from dsl.problems import Problem
from dsl.recurrence import (
    LAST,
    MONTHS,
    At,
    Day,
    Every,
    Moment,
    MonthDay,
    NthWeekday,
    Period,
    Weekday,
    days_text,
)
from dsl.words import Word, Words
from dsl.zones import zone

# Without days and times, a rule fires as its period begins.
_FIRST: dict[str, tuple[Day, ...]] = {
    "day": (),
    "week": (Weekday(0),),
    "month": (MonthDay(1),),
    "year": (MonthDay(1, 1),),
}

_WHERE = {
    **dict.fromkeys(("day", "times", "instant", "delay"), "at"),
    **dict.fromkeys(("only", "roll"), "calendars"),
    "excluded": "exclude",
}  # fields that a part belongs to whose name is another


@dataclass
class Draft:
    """The parts of a rule; `columns` says which were given and where, `unread` which are not understood."""

    every: Every | None = None
    on: tuple[Day, ...] = ()
    day: date | None = None
    times: tuple[time, ...] = ()
    instant: datetime | None = None
    delay: timedelta | None = None
    timezone: str = "UTC"
    start: Moment | None = None
    end: Moment | None = None
    count: int | None = None
    excluded: Excluded = field(default_factory=Excluded)
    only: tuple[str, ...] = ()
    roll: Roll = "skip"
    is_plural: bool = False
    columns: dict[str, int] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)

    def put(self, part: str, value: object, word: Word, words: Words) -> None:
        """Set a part, once."""
        if part in self.columns:
            where = _WHERE.get(part, part)
            raise words.error(
                word, where, "given twice", "a rule has one set of days and times; write two schedules"
            )
        self.columns[part] = word.column
        setattr(self, part, value)

    def at(self) -> At | None:
        """The times, instant or delay that the parts amount to."""
        if self.day is not None:
            return datetime.combine(self.day, (self.times or (time(0),))[0])
        if isinstance(self.every, Period):
            return tuple(sorted(set(self.times))) or (time(0),)
        return self.instant if self.instant is not None else self.delay

    def days(self) -> tuple[Day, ...]:
        """The days in order, or the first of the period."""
        if not isinstance(self.every, Period):
            return ()
        return tuple(sorted(set(self.on), key=_day_order)) or _FIRST[self.every.unit]

    def settle(self) -> list[Problem]:
        """Complete what plural days imply, and say what does not fit together."""
        if self.is_plural and self.every is None:
            self.every = Period(1, "week")
        problems = [*self._kind(), *self._days(), *self._times(), *self._bounds()]
        return [problem for problem in problems if problem.where not in self.unread]

    def _has(self, *parts: str) -> bool:
        return any(part in self.columns for part in parts)

    def _problem(self, where: str, part: str, what: str, hint: str = "") -> Problem:
        return Problem(where, what, hint, column=self.columns.get(part, 1))

    def _kind(self) -> Iterator[Problem]:
        """A rule has exactly one of: a period, a date, a delay."""
        moments = [part for part in ("day", "instant", "delay") if part in self.columns]
        if (self.every or "every" in self.unread) and moments:
            what = "a rule with 'every' has no single date or delay"
            yield self._problem("at", moments[0], what, "'start' says when a recurring rule begins")
        elif len(moments) > 1:
            yield self._problem("at", moments[1], "given twice", "write two schedules")
        if self.every or moments or self.unread & {"every", "at", "on"}:
            return
        yield self._nothing()

    def _nothing(self) -> Problem:
        if any(isinstance(day, MonthDay) and day.month for day in self.on):
            shown = days_text(self.on)
            return self._problem(
                "on", "on", "the date has no year", f"add it, or write 'every year on {shown}'"
            )
        if self.on:
            hint = "begin with 'every', such as 'every week on monday'"
            return self._problem("on", "on", "days alone depend on today", hint)
        if self.times:
            hint = "write 'every day at …', or add a date"
            return self._problem("at", "times", "a time alone depends on today", hint)
        return Problem("schedule", "there is no rule", "begin with 'every', 'in' or a date")

    def _days(self) -> Iterator[Problem]:
        if not self.on or self.every is None:
            if self.on and self._has("day", "instant", "delay"):
                yield self._problem("on", "on", "days go with 'every'", "a date stands alone")
            return
        if isinstance(self.every, timedelta):
            yield self._problem(
                "on",
                "on",
                "days do not go with an interval",
                "write 'every day', 'every week' or 'every month'",
            )
            return
        for day in self.on:
            wanted = _unit_of(day)
            if wanted != self.every.unit:
                what = f"'{day}' is not a day of a {self.every.unit}"
                if self.every.unit == "day":
                    what = "days do not go with 'every day'"
                yield self._problem("on", "on", what, _day_hint(day, self.every.unit))

    def _times(self) -> Iterator[Problem]:
        if isinstance(self.every, timedelta) and self.times:
            hint = "'start' says when it begins; 'every day at …' fires at times of day"
            yield self._problem("at", "times", "times do not go with an interval", hint)
        elif self._has("day") and len(self.times) > 1:
            yield self._problem("at", "times", "a date has one time", "write two schedules")
        elif self._has("instant", "delay") and self.times:
            yield self._problem("at", "times", "given twice")

    def _bounds(self) -> Iterator[Problem]:
        for part in ("start", "end"):
            if self._has(part) and self._has("day", "instant", "delay") and not self.every:
                yield self._problem(part, part, f"'{part}' goes with 'every' only")
        if self.start is None or self.end is None or "timezone" in self.unread:
            return
        if bound(self.end, self.timezone, is_end=True) < bound(self.start, self.timezone):
            yield self._problem("end", "end", "the end lies before the start")


def bound(moment: Moment, timezone: str, *, is_end: bool = False) -> datetime:
    """The instant at which a rule begins or ends; a date means its first or last moment."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.max if is_end else time.min)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone(timezone), fold=1 if is_end else 0)
    return moment.astimezone(UTC)


def _unit_of(day: Day) -> str:
    if isinstance(day, Weekday):
        return "week"
    return "year" if day.month else "month"


def _day_hint(day: Day, unit: str) -> str:
    if unit == "month" and isinstance(day, Weekday):
        return f"say which one, such as 'the first {day}' or 'the last {day}'"
    if unit == "year" and not isinstance(day, Weekday):
        return f"name the month, such as '{day} of {MONTHS[0]}'"
    return f"write 'every {_unit_of(day)} on {'' if isinstance(day, Weekday) else 'the '}{day}'"


def _day_order(day: Day) -> tuple[int, ...]:
    match day:
        case Weekday():
            return (day.number,)
        case MonthDay():
            return (day.month, 0, 99 if day.day == LAST else day.day)
        case NthWeekday():
            return (day.month, 1, 99 if day.nth == LAST else day.nth, *day.weekdays)
