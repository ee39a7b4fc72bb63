"""Descriptions of rules, which read back as the same rules, and how long a rule may be."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from dsl.describe import describe
from dsl.options import Calendars, Roll
from dsl.recurrence import (
    LAST,
    UNITS,
    WEEKEND,
    WORKDAYS,
    Between,
    BusinessDay,
    DateRange,
    Day,
    MonthDay,
    NthWeekday,
    Period,
    Weekday,
)
from dsl.schedule import Rule, Schedule, read_schedule
from tests.dsl.test_phrases import schedule_of

DATES = st.dates(date(1971, 1, 1), date(2900, 12, 31))
SECONDS = st.times().map(lambda moment: moment.replace(microsecond=0))
NTH = st.sampled_from([1, 2, 3, 4, 5, LAST])
WHICH = st.integers(0, 6).map(lambda number: (number,)) | st.sampled_from([WORKDAYS, WEEKEND])


def days(unit: str) -> st.SearchStrategy[tuple[Day, ...]]:
    month = st.integers(1, 12) if unit == "year" else st.just(0)
    day: dict[str, st.SearchStrategy[Day]] = {
        "week": st.builds(Weekday, st.integers(0, 6)),
        "day": st.nothing(),
    }
    monthly: st.SearchStrategy[Day] = (
        st.builds(MonthDay, st.integers(1, 28) | st.just(LAST), month)
        | st.builds(NthWeekday, NTH, WHICH, month)
        | st.builds(BusinessDay, st.integers(1, 23), month)
    )
    return st.lists(day.get(unit, monthly), max_size=0 if unit == "day" else 4).map(tuple)


@st.composite
def calendar_rules(draw: st.DrawFn) -> dict[str, object]:
    unit = draw(st.sampled_from(UNITS))
    times = draw(st.lists(SECONDS, min_size=1, max_size=3).map(tuple))
    return {"every": Period(draw(st.integers(1, 9)), unit), "on": draw(days(unit)), "at": times}


@st.composite
def windows(draw: st.DrawFn) -> dict[str, object]:
    first, last = draw(st.lists(SECONDS, min_size=2, max_size=2, unique=True).map(sorted))
    every = timedelta(seconds=draw(st.integers(1, 86_399)))
    return {"every": every, "between": Between(first, last), "on": draw(days(draw(st.sampled_from(UNITS))))}


CRONS = ["@daily", "*/5 * * * *", "0 9 * * mon-fri", "0,30 9-17/2 L * *", "15 3 * JAN,jul 5#2", "0 0 29 2 *"]
INTERVALS = st.integers(1, 10**8).map(lambda seconds: timedelta(seconds=seconds))
INSTANTS = st.builds(datetime.combine, DATES, SECONDS, st.just(UTC) | st.none())
LISTED_DATES = st.lists(INSTANTS, min_size=2, max_size=4).map(tuple)
RULES: st.SearchStrategy[dict[str, object]] = st.one_of(
    calendar_rules(),
    windows(),
    st.fixed_dictionaries({"every": INTERVALS}),
    st.fixed_dictionaries({"at": INTERVALS | INSTANTS | LISTED_DATES}),
    st.fixed_dictionaries({"cron": st.sampled_from(CRONS)}),
)
ZONES = st.sampled_from(["UTC", "Europe/London", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "CET"])
RANGES = st.lists(DATES, min_size=1, max_size=2).map(lambda ends: DateRange(min(ends), max(ends)))
NAMES = st.lists(st.sampled_from(["uk_holidays", "bank-days", "mondays_off", "monday", "at"]), unique=True)


def any_of(found: tuple[Day, ...]) -> st.SearchStrategy[Day]:
    return st.sampled_from(found or (Weekday(0),))


LISTED_DAYS = st.sampled_from(UNITS).flatmap(days).flatmap(any_of)
MORE = st.fixed_dictionaries(
    {},
    optional={
        "count": st.integers(1, 1000),
        "exclude": st.lists(RANGES | LISTED_DAYS, max_size=4).map(tuple),
        "calendars": st.builds(Calendars, NAMES.map(tuple), NAMES.map(tuple)),
    },
)
ROLLS = ["next", "previous", "modified_following"]


def assert_reads_back(schedule: Schedule) -> None:
    structured = schedule.model_dump(mode="json", exclude_defaults=True)
    assert [schedule_of(describe(schedule)), schedule_of(structured)] == [schedule, schedule]


@settings(max_examples=200, deadline=None)
@given(RULES, ZONES, DATES | INSTANTS, st.booleans(), MORE)
def test_a_description_reads_back_as_the_same_rule(
    rule: dict[str, object], zone: str, start: date, has_start: bool, more: dict[str, object]
) -> None:
    bounds = {"start": start} if has_start and "at" not in rule else {}
    assert_reads_back(Schedule.model_validate({**rule, **bounds, **more, "timezone": zone}))


@settings(max_examples=100, deadline=None)
@given(st.lists(RULES, min_size=2, max_size=4), ZONES, DATES, MORE)
def test_a_description_of_several_rules_reads_back(
    rules: list[dict[str, object]], zone: str, start: date, more: dict[str, object]
) -> None:
    assert_reads_back(
        Schedule.model_validate(
            {"rules": [Rule(**rule) for rule in rules], "start": start, "timezone": zone, **more}
        )
    )


@pytest.mark.parametrize("roll", ROLLS)
@given(rule=calendar_rules() | windows(), only=NAMES, excluded=NAMES)
def test_a_description_says_where_days_are_moved(
    roll: Roll, rule: dict[str, object], only: list[str], excluded: list[str]
) -> None:
    calendars = Calendars(tuple(only), tuple(excluded), roll)
    assert_reads_back(Schedule.model_validate({**rule, "calendars": calendars}))


def test_a_description_of_the_longest_rule_reads_back() -> None:
    times = tuple(time(number // 60, number % 60, 1) for number in range(288))
    first = date(2026, 1, 1)
    ranges = [DateRange(first + timedelta(number), first + timedelta(number + 1)) for number in range(1000)]
    rules = tuple(Rule(every=Period(1, "day"), at=times) for _ in range(20))
    assert_reads_back(Schedule(rules=rules, exclude=tuple(ranges)))


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({"every": "day", "at": [f"{n // 60:02}:{n % 60:02}" for n in range(289)]}, "more than 288 times"),
        ({"at": [f"2026-12-24T{n // 60:02}:{n % 60:02}" for n in range(289)]}, "more than 288 dates"),
        ({"rules": ["every day"] * 21}, "more than 20 rules"),
        ({"every": "day", "exclude": ["friday"] * 1001}, "more than 1000 days and dates"),
        ("; ".join(["every day"] * 21), "more than 20 rules"),
    ],
)
def test_what_is_too_long_is_refused(value: JsonValue, what: str) -> None:
    _, (problem,) = read_schedule(value)
    assert problem.what == what
