"""The rule of a schedule while it is being read: what was given, where, and whether it fits together."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from dsl.exclusions import Excluded
from dsl.options import Roll
from dsl.problems import Problem
from dsl.recurrence import (
    LAST,
    MONTHS,
    At,
    Between,
    BusinessDay,
    Day,
    Every,
    Moment,
    MonthDay,
    NthWeekday,
    Period,
    Unit,
    Weekday,
    days_text,
    moment_text,
)
from dsl.words import PhraseError, Word, Words
from dsl.zones import zone

# Without days and times, a rule fires as its period begins.
_FIRST: dict[str, tuple[Day, ...]] = {
    "day": (),
    "week": (Weekday(0),),
    "month": (MonthDay(1),),
    "year": (MonthDay(1, 1),),
}

_WHERE = {
    **dict.fromkeys(("moments", "times", "delay"), "at"),
    **dict.fromkeys(("only", "roll"), "calendars"),
    "excluded": "exclude",
}  # fields that a part belongs to whose name is another
SHARED = ("timezone", "start", "end", "count", "excluded", "only", "roll")  # what several rules share
MOST_TIMES = 288  # times of a day, or dates, in one rule; every five minutes of a day


@dataclass
class Draft:
    """The parts of a rule; `columns` says which were given and where, `unread` which are not understood."""

    every: Every | None = None
    on: tuple[Day, ...] = ()
    moments: tuple[Moment, ...] = ()
    times: tuple[time, ...] = ()
    between: Between | None = None
    delay: timedelta | None = None
    cron: str | None = None
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
            hint = "a rule has one set of days and times; write two rules with ';' between them"
            raise words.error(word, where, "given twice", "" if part in SHARED else hint)
        self.columns[part] = word.column
        setattr(self, part, value)

    @property
    def is_rule(self) -> bool:
        """Whether it says when to fire, or tried to: more than what several rules share."""
        return bool((self.columns.keys() | self.unread) - set(SHARED))

    def shared(self) -> dict[str, int]:
        """The fields that are given here and hold for several rules, and where they are."""
        return {_WHERE.get(part, part): column for part, column in self.columns.items() if part in SHARED}

    def share(self, other: "Draft") -> None:
        """Take over what is given in the other and holds for all rules; raises `PhraseError`."""
        for part in SHARED:
            if part not in other.columns:
                continue
            if part in self.columns:
                where, column = _WHERE.get(part, part), other.columns[part]
                raise PhraseError(Problem(where, "given twice", "it holds for all rules", column=column))
            self.columns[part] = other.columns[part]
            setattr(self, part, getattr(other, part))

    def at(self) -> At | None:
        """The times, dates or delay that the parts amount to."""
        if self.moments:
            dates = {dated for moment in self.moments for dated in self._dated(moment)}
            ordered = tuple(sorted(dates, key=moment_text))
            return ordered if len(ordered) > 1 else ordered[0]
        if isinstance(self.every, Period):
            return tuple(sorted(set(self.times))) or (time(0),)
        return self.delay

    def _dated(self, moment: Moment) -> list[datetime]:
        if isinstance(moment, datetime):
            return [moment]
        return [datetime.combine(moment, each) for each in self.times or (time(0),)]

    def days(self) -> tuple[Day, ...]:
        """The days in order, or the first of the period."""
        days = tuple(sorted(set(self.on), key=_day_order))
        return days or _FIRST[self.every.unit] if isinstance(self.every, Period) else days

    def settle(self, *, is_alone: bool = True) -> list[Problem]:
        """Complete what plural days imply, and say what does not fit together; bounds where it is alone."""
        if self.is_plural and self.every is None:
            self.every = Period(1, "week")
        problems = [*self._kind(), *self._days(), *self._times(), *self._window()]
        problems += self._bounds() if is_alone else ()
        return [problem for problem in problems if problem.where not in self.unread]

    def has(self, part: str) -> bool:
        """Whether the part is given, even if it is not understood."""
        return part in self.columns or part in self.unread

    def _has(self, *parts: str) -> bool:
        return any(part in self.columns for part in parts)

    def _problem(self, where: str, part: str, what: str, hint: str = "") -> Problem:
        return Problem(where, what, hint, column=self.columns.get(part, 1))

    def _kind(self) -> Iterator[Problem]:
        """A rule has exactly one of: a period, dates, a delay, cron text."""
        moments = [part for part in ("moments", "delay") if part in self.columns]
        if "cron" in self.columns:
            others = [part for part in ("every", "on", "between", "times", *moments) if part in self.columns]
            for part in others[:1]:
                where = _WHERE.get(part, part)
                yield self._problem(where, part, "cron text says all of it", "leave one of the two out")
            return
        if (self.every or "every" in self.unread) and moments:
            what = "a rule with 'every' has no single date or delay"
            yield self._problem("at", moments[0], what, "'start' says when a recurring rule begins")
        elif len(moments) > 1:
            yield self._problem("at", moments[1], "given twice", "write two rules")
        if self.every or moments or self.unread & {"every", "at", "on", "cron"}:
            return
        yield self._nothing()

    def _nothing(self) -> Problem:
        if any(not isinstance(day, Weekday) and day.month for day in self.on):
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
        if self.between:
            hint = "such as 'every 15 minutes between 09:00 and 17:00'"
            return self._problem("between", "between", "it is not said how often", hint)
        return Problem("schedule", "there is no rule", "begin with 'every', 'in' or a date")

    def _days(self) -> Iterator[Problem]:
        if not self.on or self.every is None:
            if self.on and self._has("moments", "delay"):
                yield self._problem("on", "on", "days go with 'every'", "a date stands alone")
            return
        if isinstance(self.every, timedelta) and not self.between:
            hint = "write 'every day', 'every week' or 'every month'"
            yield self._problem("on", "on", "days do not go with an interval", hint)
            return
        for day in self.on:
            wanted = unit_of(day)
            unit = self.every.unit if isinstance(self.every, Period) else unit_of(self.on[0])
            if wanted != unit:
                what = f"'{day}' is not a day of a {unit}"
                if unit == "day":
                    what = "days do not go with 'every day'"
                yield self._problem("on", "on", what, _day_hint(day, unit))

    def _times(self) -> Iterator[Problem]:
        dates = [moment for moment in self.moments if not isinstance(moment, datetime)]
        if isinstance(self.every, timedelta) and self.times:
            hint = "'start' says when it begins; 'every day at …' fires at times of day"
            yield self._problem("at", "times", "times do not go with an interval", hint)
        elif self._has("moments", "delay") and self.times and not dates:
            yield self._problem("at", "times", "given twice")
        if len(self.times) > MOST_TIMES or len(self.moments) + len(dates) * len(self.times) > MOST_TIMES:
            part = "moments" if self.moments else "times"
            thing = "dates" if self.moments else "times"
            hint = "write more schedules" if self.moments else "write 'every 5 minutes between …'"
            yield self._problem("at", part, f"more than {MOST_TIMES} {thing}", hint)

    def _window(self) -> Iterator[Problem]:
        if self.between is None:
            return
        if isinstance(self.every, Period):
            hint = "such as 'every 15 minutes between 09:00 and 17:00'"
            yield self._problem("between", "between", f"every {self.every} is not several times a day", hint)
        elif self.every is not None and self.every >= timedelta(days=1):
            yield self._problem("every", "every", "longer than a day", "write 'every day at …'")

    def _bounds(self) -> Iterator[Problem]:
        for part in ("start", "end"):
            if self._has(part) and self._has("moments", "delay") and not self.every:
                yield self._problem(part, part, f"'{part}' goes with 'every' only")
        yield from self.ends()

    def ends(self) -> Iterator[Problem]:
        """What is wrong with start and end."""
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


def unit_of(day: Day) -> Unit:
    """The unit of the periods that have such a day."""
    if isinstance(day, Weekday):
        return "week"
    return "year" if day.month else "month"


def _day_hint(day: Day, unit: str) -> str:
    if unit == "month" and isinstance(day, Weekday):
        return f"say which one, such as 'the first {day}' or 'the last {day}'"
    if unit == "year" and not isinstance(day, Weekday):
        return f"name the month, such as '{day} of {MONTHS[0]}'"
    return f"write 'every {unit_of(day)} on {'' if isinstance(day, Weekday) else 'the '}{day}'"


def _day_order(day: Day) -> tuple[int, ...]:
    match day:
        case Weekday():
            return (day.number,)
        case MonthDay():
            return (day.month, 0, 99 if day.day == LAST else day.day)
        case BusinessDay():
            return (day.month, 2, 99 if day.nth == LAST else day.nth)
        case NthWeekday():
            return (day.month, 1, 99 if day.nth == LAST else day.nth, *day.weekdays)
