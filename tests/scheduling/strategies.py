"""Schedules of every kind, for properties that hold for all of them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cronny.scheduling.walltime import Gap, Overlap
from dsl.recurrence import LAST, BusinessDay, Day, MonthDay, NthWeekday, Period, Weekday
from dsl.schedule import Schedule

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
schedules = calendars() | intervals
