"""Calendar rules: which days, which times, counted from where."""

import pytest
from pydantic import JsonValue

from cronny.scheduling import compile_schedule, never_fires, upcoming
from dsl.schedule import read_schedule
from tests.scheduling.rules import SAVED, fires, rule, texts, utc


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("every day at 09:00", ["2026-01-01T09:00", "2026-01-02T09:00", "2026-01-03T09:00"]),
        ("every day", ["2026-01-02", "2026-01-03", "2026-01-04"]),
        ("every day at 18:00 and 06:00", ["2026-01-01T06:00", "2026-01-01T18:00", "2026-01-02T06:00"]),
        ("every 3 days at 09:00", ["2026-01-01T09:00", "2026-01-04T09:00", "2026-01-07T09:00"]),
        ("every week", ["2026-01-05", "2026-01-12", "2026-01-19"]),
        ("every week on monday at 09:00", ["2026-01-05T09:00", "2026-01-12T09:00", "2026-01-19T09:00"]),
        ("every week on sunday and friday", ["2026-01-02", "2026-01-04", "2026-01-09"]),
        ("every weekday at 08:00", ["2026-01-01T08:00", "2026-01-02T08:00", "2026-01-05T08:00"]),
        ("every 2 weeks on monday", ["2026-01-12", "2026-01-26", "2026-02-09"]),
        ("every 2 weeks on friday", ["2026-01-02", "2026-01-16", "2026-01-30"]),
        ("every month", ["2026-02-01", "2026-03-01", "2026-04-01"]),
        ("every month on the 31st", ["2026-01-31", "2026-03-31", "2026-05-31"]),
        ("every month on the last day", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("every month on the 1st and the last day", ["2026-01-31", "2026-02-01", "2026-02-28"]),
        ("every month on the 31st and the last day", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        (
            "every month on the last friday at 17:30",
            ["2026-01-30T17:30", "2026-02-27T17:30", "2026-03-27T17:30"],
        ),
        ("every month on the second tuesday", ["2026-01-13", "2026-02-10", "2026-03-10"]),
        ("every month on the fifth thursday", ["2026-01-29", "2026-04-30", "2026-07-30"]),
        ("every month on the last weekday", ["2026-01-30", "2026-02-27", "2026-03-31"]),
        ("every 3 months on the 15th", ["2026-01-15", "2026-04-15", "2026-07-15"]),
        ("every year", ["2027-01-01", "2028-01-01", "2029-01-01"]),
        ("every year on 24 december at 18:00", ["2026-12-24T18:00", "2027-12-24T18:00", "2028-12-24T18:00"]),
        ("every year on 29 february", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("every year on the last friday of november", ["2026-11-27", "2027-11-26", "2028-11-24"]),
        ("every year on 24 december and 1 may", ["2026-05-01", "2026-12-24", "2027-05-01"]),
        ("every 2 years on 1 may", ["2026-05-01", "2028-05-01", "2030-05-01"]),
    ],
)
def test_a_calendar_rule_fires_on_its_days(phrase: str, expected: list[str]) -> None:
    assert fires(phrase, 3) == expected


def test_a_leap_day_is_left_out_in_a_century_that_has_none() -> None:
    assert fires("every year on 29 february", 2, "2095-01-01") == ["2096-02-29", "2104-02-29"]


def test_a_wall_time_keeps_its_place_on_the_clocks_of_its_zone() -> None:
    schedule, _ = read_schedule("every week on Monday at 09:00 Europe/London")
    assert schedule is not None
    after = utc("2026-03-20")
    compiled = compile_schedule(schedule, after)
    dues = upcoming(compiled, after, 5)
    assert texts(dues) == [
        "2026-03-23T09:00",
        "2026-03-30T08:00",
        "2026-04-06T08:00",
        "2026-04-13T08:00",
        "2026-04-20T08:00",
    ]
    assert {compiled.local(due).isoformat()[11:16] for due in dues} == {"09:00"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"every": "2 weeks", "on": "monday", "start": "2026-01-05"}, ["2026-01-05", "2026-01-19"]),
        ({"every": "2 weeks", "on": "monday", "start": "2026-01-07"}, ["2026-01-19", "2026-02-02"]),
        ({"every": "3 months", "on": "the 1st", "start": "2026-02-10"}, ["2026-05-01", "2026-08-01"]),
        ({"every": "2 days", "start": "2025-12-31"}, ["2026-01-02", "2026-01-04"]),
        # 22:00 UTC is already the next day in Tokyo, from which the days are counted.
        (
            {"every": "2 days", "start": "2026-01-05T22:00Z", "timezone": "Asia/Tokyo"},
            ["2026-01-07T15:00", "2026-01-09T15:00"],
        ),
        (
            {"every": "2 days", "start": "2026-01-06T07:00", "timezone": "Asia/Tokyo"},
            ["2026-01-07T15:00", "2026-01-09T15:00"],
        ),
    ],
)
def test_steps_count_from_the_period_of_the_start(value: JsonValue, expected: list[str]) -> None:
    assert fires(value, 2) == expected


def test_steps_count_from_the_date_of_the_save_in_the_zone() -> None:
    dues = fires("every 2 days Asia/Tokyo", 2, saved="2026-01-01T20:00", after="2026-01-01T20:00")
    assert dues == ["2026-01-03T15:00", "2026-01-05T15:00"]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ("starting 2026-01-02", ["2026-01-02T09:00", "2026-01-03T09:00", "2026-01-04T09:00"]),
        ("starting 2026-01-02T09:00", ["2026-01-02T09:00", "2026-01-03T09:00", "2026-01-04T09:00"]),
        ("starting 2026-01-02T09:01", ["2026-01-03T09:00", "2026-01-04T09:00", "2026-01-05T09:00"]),
        ("starting 2026-01-02T09:00+01:00", ["2026-01-02T09:00", "2026-01-03T09:00", "2026-01-04T09:00"]),
        ("until 2026-01-02", ["2026-01-01T09:00", "2026-01-02T09:00"]),
        ("until 2026-01-02T09:00", ["2026-01-01T09:00", "2026-01-02T09:00"]),
        ("until 2026-01-02T08:59", ["2026-01-01T09:00"]),
        ("until 2026-01-02T10:00+01:00", ["2026-01-01T09:00", "2026-01-02T09:00"]),
        ("starting 2026-01-02 until 2026-01-02", ["2026-01-02T09:00"]),
    ],
)
def test_bounds_are_inclusive_and_dates_are_meant_whole(bounds: str, expected: list[str]) -> None:
    assert fires(f"every day at 09:00 {bounds}", 3) == expected


def test_bounds_are_read_in_the_zone() -> None:
    dues = fires("every day at 23:30 starting 2026-07-01 until 2026-07-02 America/New_York", 9)
    assert dues == ["2026-07-02T03:30", "2026-07-03T03:30"]


@pytest.mark.parametrize(
    ("value", "saved"),
    [
        ("every 12 months on the 31st", "2026-02-10"),
        ("every 24 months on the 29th", "2027-02-10"),
        ("every 2 years on 29 february", "2027-02-10"),
        ("every week on monday until 2026-01-04", SAVED),
        ("every day at 09:00 starting 2025-01-01 until 2025-02-01", SAVED),
        (
            {
                "every": "year",
                "on": "last sunday of march",
                "at": "01:30",
                "timezone": "Europe/London",
                "dst_gap": "skip",
            },
            SAVED,
        ),
    ],
)
def test_a_rule_without_a_fire_is_found_out(value: JsonValue, saved: str) -> None:
    assert never_fires(rule(value, saved), utc(saved))


@pytest.mark.parametrize("phrase", ["every day", "every 5 minutes", "every month on the last friday"])
@pytest.mark.parametrize("after", ["2999-12-31T23:59:59", "3000-01-01", "9999-12-31T23:59:59"])
def test_every_search_ends_with_the_year_2999(phrase: str, after: str) -> None:
    assert never_fires(rule(phrase), utc(after))


def test_a_search_may_begin_before_all_fires() -> None:
    assert fires("every year on 1 january", 1, after="0001-01-01") == ["1970-01-01"]
