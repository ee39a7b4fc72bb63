"""Schedules of every kind, for properties that hold for all of them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cronny.scheduling.walltime import Gap, Overlap
from dsl.options import Calendars
from dsl.recurrence import (
    LAST,
    UNITS,
    Between,
    BusinessDay,
    DateRange,
    Day,
    MonthDay,
    NthWeekday,
    Period,
    Weekday,
)
from dsl.schedule import Rule, Schedule

ZONES = (
    "UTC",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
)

# Properties hold at any speed: a busy machine fails no test.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_WEEKDAYS = st.builds(Weekday, st.integers(0, 6))
_SETS = st.sampled_from([*((number,) for number in range(7)), (0, 1, 2, 3, 4), (5, 6)])
_PLACES = st.sampled_from([1, 2, 3, 4, 5, LAST])


def _days_of_month(months: st.SearchStrategy[int]) -> st.SearchStrategy[Day]:
    dates = st.builds(MonthDay, st.integers(1, 28) | st.just(LAST), months)
    business = st.builds(BusinessDay, st.integers(1, 23) | st.just(LAST), months)
    return dates | st.builds(NthWeekday, _PLACES, _SETS, months) | business


_ON: dict[str, st.SearchStrategy[Day]] = {
    "day": st.nothing(),
    "week": _WEEKDAYS,
    "month": _days_of_month(st.just(0)) | st.builds(MonthDay, st.integers(29, 31)),
    "year": _days_of_month(st.integers(1, 12)) | st.just(MonthDay(29, 2)),
}

dates = st.dates(date(1990, 1, 1), date(2040, 1, 1))
_EPOCH = datetime(1990, 1, 1, tzinfo=UTC)
instants = st.timedeltas(timedelta(0), timedelta(days=50 * 365)).map(lambda since: _EPOCH + since)
minutes = st.integers(0, 24 * 60 - 1).map(lambda number: time(*divmod(number, 60)))
times = st.lists(minutes, min_size=1, max_size=3, unique=True).map(tuple)
periods = st.builds(Period, st.integers(1, 7), st.sampled_from(["day", "week", "month", "year"]))


def days_of(period: Period) -> st.SearchStrategy[tuple[Day, ...]]:
    if period.unit == "day":
        return st.just(())
    return st.lists(_ON[period.unit], min_size=1, max_size=3).map(tuple)


@st.composite
def calendars(draw: st.DrawFn) -> Schedule:
    period = draw(periods)
    return Schedule(
        every=period,
        on=draw(days_of(period)),
        at=draw(times),
        timezone=draw(st.sampled_from(ZONES)),
        start=draw(st.none() | dates),
        dst_gap=draw(st.sampled_from(get_args(Gap))),
        dst_overlap=draw(st.sampled_from(get_args(Overlap))),
    )


intervals = st.builds(
    Schedule,
    every=st.integers(1, 200_000).map(lambda number: timedelta(seconds=number)),
    start=st.none() | dates,
    timezone=st.sampled_from(ZONES),
)
delays = st.builds(Schedule, at=st.integers(1, 3_000_000_000).map(lambda number: timedelta(seconds=number)))


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    step = st.integers(1, high - low).map(lambda every: f"*/{every}")
    return st.lists(number.map(str) | span, min_size=1, max_size=3).map(",".join) | step | st.just("*")


_MONTHS = st.sampled_from(["*", "*", "1-6", "feb", "JAN,dec", "*/5"])
_DATES = st.sampled_from(["L", "LW", "1", "15,28", "10-20"]).map(lambda day: (day, "*"))
_CRON_DAYS = st.sampled_from(["*", "mon-fri", "0", "7", "5L", "fri#2", "1,3", "1#1"]).map(
    lambda day: ("*", day)
)
crons = st.builds(
    lambda minute, hour, days, month: f"{minute} {hour} {days[0]} {month} {days[1]}",
    _field(0, 59),
    _field(0, 23),
    _DATES | _CRON_DAYS,
    _MONTHS,
) | st.sampled_from(["@daily", "@hourly", "@monthly", "@yearly"])

_WINDOWS = st.lists(minutes, min_size=2, max_size=2, unique=True).map(lambda ends: Between(*sorted(ends)))


@st.composite
def windows(draw: st.DrawFn) -> Schedule:
    unit = draw(st.sampled_from(UNITS))
    return Schedule(
        every=timedelta(seconds=draw(st.integers(30, 20_000))),
        between=draw(_WINDOWS),
        on=draw(days_of(Period(1, unit))),
        timezone=draw(st.sampled_from(ZONES)),
    )


cron_rules = st.builds(Schedule, cron=crons, timezone=st.sampled_from(ZONES))
walls = st.builds(datetime.combine, dates, minutes)
date_lists = st.builds(
    Schedule,
    at=st.lists(walls, min_size=2, max_size=6, unique=True).map(tuple),
    timezone=st.sampled_from(ZONES),
)
lengths = st.integers(0, 400).map(lambda days: timedelta(days=days))
ranges = st.builds(lambda day, length: DateRange(day, day + length), dates, lengths)
exclusions = st.lists(
    ranges | _WEEKDAYS | _days_of_month(st.just(0)) | _days_of_month(st.integers(1, 12)), max_size=3
).map(tuple)
single = calendars() | intervals | windows() | cron_rules


@st.composite
def several(draw: st.DrawFn) -> Schedule:
    """Several rules in one zone."""
    rules = draw(st.lists(single, min_size=2, max_size=3))
    parts = [
        Rule(every=each.every, on=each.on, at=each.at, between=each.between, cron=each.cron) for each in rules
    ]
    return Schedule(rules=tuple(parts), timezone=rules[0].timezone, start=rules[0].start)


@st.composite
def restricted(draw: st.DrawFn) -> Schedule:
    """A rule, or several, with what is left out and where lost days go."""
    schedule = draw(single | several())
    elapsed = any(rule.kind in {"interval", "delay"} for rule in schedule.all_rules)
    rolls = ["skip"] if elapsed else ["skip", "next", "previous", "modified_following"]
    return schedule.model_copy(
        update={
            "exclude": draw(exclusions),
            "count": draw(st.none() | st.integers(1, 30)),
            "calendars": Calendars(roll=draw(st.sampled_from(rolls))),
        }
    )


schedules = single | several() | restricted() | date_lists
