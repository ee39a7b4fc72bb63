"""What a schedule leaves out, where its lost days go, and after how many fires it ends."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from cronny.scheduling import UnknownCalendar, compile_schedule, never_fires, upcoming
from cronny.scheduling.datesets import Dates
from dsl.recurrence import MonthDay, Period, Weekday
from dsl.schedule import Schedule, read_schedule
from tests.scheduling.rules import fires, rule, texts, utc
from tests.scheduling.strategies import dates, instants, patient, restricted, single

DAY = timedelta(days=1)
SAVED = utc("2026-01-01")


def on_calendars(value: JsonValue, count: int, **named: list[str]) -> list[str]:
    schedule, problems = read_schedule(value)
    assert schedule is not None, problems
    sets = {name: Dates(frozenset(date.fromisoformat(day) for day in days)) for name, days in named.items()}
    return texts(upcoming(compile_schedule(schedule, SAVED, sets), SAVED, count))


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("every weekday except friday", ["2026-01-05", "2026-01-06", "2026-01-07"]),
        ("every day except 2026-01-03 to 2026-01-30", ["2026-01-02", "2026-01-31", "2026-02-01"]),
        ("every day except weekends and the 5th", ["2026-01-02", "2026-01-06", "2026-01-07"]),
        ("every month except 1 february and 1 march", ["2026-04-01", "2026-05-01", "2026-06-01"]),
        ("every day except the last business day and weekdays", ["2026-01-03", "2026-01-04", "2026-01-10"]),
        ("every 12 hours except friday", ["2026-01-01T12:00", "2026-01-03", "2026-01-03T12:00"]),
        ("0 12 * * * except friday", ["2026-01-01T12:00", "2026-01-03T12:00", "2026-01-04T12:00"]),
        ("2026-01-02 and 2026-01-03 except friday", ["2026-01-03"]),
        ("every month on the 1st moved to the next business day", ["2026-02-02", "2026-03-02", "2026-04-01"]),
        (
            "every month on the 1st moved to the previous business day",
            ["2026-01-30", "2026-02-27", "2026-04-01"],
        ),
        (
            "every month on the last day moved to the next business day in the month",
            ["2026-01-30", "2026-02-27", "2026-03-31"],
        ),
        ("every day moved to the next business day", ["2026-01-02", "2026-01-05", "2026-01-06"]),
        ("every hour 2 times", ["2026-01-01T01:00", "2026-01-01T02:00"]),
        ("every month on the 31st 2 times starting 2026-02-01", ["2026-03-31", "2026-05-31"]),
        ("every day at 9; 0 12 * * *; 2026-01-01 10:00", [
            "2026-01-01T09:00", "2026-01-01T10:00", "2026-01-01T12:00"]),
        ("every day at 9; every weekday at 9; 2 times", ["2026-01-01T09:00", "2026-01-02T09:00"]),
        ("every 6 hours between 9 and 22", ["2026-01-01T09:00", "2026-01-01T15:00", "2026-01-01T21:00"]),
        ("every 8 hours between 9 and 17 on monday", [
            "2026-01-05T09:00", "2026-01-05T17:00", "2026-01-12T09:00"]),
    ],
)  # fmt: skip
def test_a_restricted_rule_fires_where_it_is_kept(phrase: str, expected: list[str]) -> None:
    assert fires(phrase, 3) == expected


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("every weekday except calendar holidays", ["2026-01-06", "2026-01-07"]),
        ("every day only on holidays", ["2026-01-02", "2026-01-05"]),
        ("every 12 hours only on holidays", ["2026-01-02", "2026-01-02T12:00"]),
        ("every month on the 2nd except holidays moved to the next business day", [
            "2026-01-06", "2026-02-02"]),
        ("every month on the 2nd business day except holidays", ["2026-01-06", "2026-02-03"]),
        ("every month on the last day only on holidays moved to the previous business day", [
            "2026-01-05"]),
    ],
)  # fmt: skip
def test_calendars_say_which_days_are_kept(phrase: str, expected: list[str]) -> None:
    found = on_calendars(phrase, 2, holidays=["2026-01-02", "2026-01-05"])
    assert found == expected


def test_a_calendar_that_there_is_not_is_named() -> None:
    with pytest.raises(UnknownCalendar, match="there is no calendar 'holidays'"):
        on_calendars("every day except holidays", 1)


@pytest.mark.parametrize(
    "phrase",
    [
        "every week on monday except mondays",
        "every second except weekdays, saturday and sunday",
        "every 24 hours except 2026-01-01 to 2999-12-31",
        "every day at 9; every 7 seconds; except weekdays and weekends",
        "every month on the 31st except the 31st",
        "every month on the 23rd business day moved to the next business day except weekdays",
    ],
)
def test_what_leaves_out_all_its_fires_never_fires(phrase: str) -> None:
    assert never_fires(rule(phrase), SAVED)


@pytest.mark.parametrize(
    ("phrase", "last"),
    [
        ("every second 100000 times", "2026-01-02T03:46:40"),
        ("every second between 00:00 and 23:59:59 100000 times", "2026-01-02T03:46:40"),
        ("every day 36524 times", "2126-01-01"),
        ("0 0 1 1 * 100000 times", "2999-01-01"),
        ("every second; every 2 seconds; 100000 times", "2026-01-02T03:46:40"),
    ],
)
def test_the_last_of_many_fires_is_found(phrase: str, last: str) -> None:
    assert rule(phrase).latest(SAVED, utc("2999-12-31"), 1) == (utc(last),)


@patient
@given(single, instants, st.integers(1, 40))
def test_a_count_cuts_off_behind_the_nth_fire(schedule: Schedule, anchor: datetime, number: int) -> None:
    schedule = schedule.model_copy(update={"start": None})
    counted = compile_schedule(schedule.model_copy(update={"count": number}), anchor)
    plain = upcoming(compile_schedule(schedule, anchor), anchor, number)
    assert upcoming(counted, anchor, number + 1) == plain
    for last in plain[-1:]:  # Some rules, such as every 2 years on 29 February, never fire.
        assert counted.count(anchor, last + DAY * 4000) == len(plain)


@patient
@given(st.integers(1, 28), st.frozensets(dates, max_size=5), st.sampled_from(["next", "previous"]), dates)
def test_a_lost_day_goes_to_the_nearest_that_is_kept(
    number: int, holidays: frozenset[date], roll: str, begin: date
) -> None:
    value: JsonValue = {"every": "month", "on": number, "calendars": {"except": "off", "roll": roll}}
    schedule, _ = read_schedule(value)
    assert schedule is not None
    begin = begin.replace(day=1)
    after = datetime(begin.year, begin.month, 1, tzinfo=UTC) - DAY * 20
    dues = upcoming(compile_schedule(schedule, after, {"off": Dates(holidays)}), after, 4)
    step = DAY if roll == "next" else -DAY
    nominal = [day for day in _days(after.date(), 200) if day.day == number]
    moved = list(dict.fromkeys(_moved(day, holidays, step) for day in nominal))
    assert [due.date() for due in dues] == [day for day in moved if day > after.date()][:4]


def _days(begin: date, count: int) -> list[date]:
    return [begin + DAY * number for number in range(-40, count)]


def _moved(day: date, holidays: frozenset[date], step: timedelta) -> date:
    while day in holidays or day.weekday() > 4:
        day += step
    return day


@patient
@given(restricted(), instants)
def test_no_fire_is_on_a_day_that_is_left_out(schedule: Schedule, anchor: datetime) -> None:
    schedule = schedule.model_copy(update={"exclude": (Weekday(0), MonthDay(13)), "timezone": "UTC"})
    dues = upcoming(compile_schedule(schedule, anchor), anchor, 8)
    assert {due.day for due in dues}.isdisjoint({13})
    assert {due.weekday() for due in dues}.isdisjoint({0})


def test_periods_are_counted_over_what_is_left_out() -> None:
    every = Schedule(every=Period(2, "day"), exclude=(Weekday(5),))
    assert texts(upcoming(compile_schedule(every, SAVED), SAVED, 3)) == [
        "2026-01-05",
        "2026-01-07",
        "2026-01-09",
    ]
