"""Fires where clocks are changed: in gaps, in overlaps, at midnight, by days and by half hours."""

import pytest
from pydantic import JsonValue

from cronny.scheduling import upcoming
from tests.scheduling.rules import fires, rule, texts, utc

LONDON = {"every": "day", "timezone": "Europe/London"}


@pytest.mark.parametrize(
    ("zone", "at", "after", "expected"),
    [
        ("Europe/London", "01:30", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("America/New_York", "02:30", "2026-03-07T12:00", ["2026-03-08T07:00", "2026-03-09T06:30"]),
        ("America/Sao_Paulo", "00:30", "2018-11-03T12:00", ["2018-11-04T03:00", "2018-11-05T02:30"]),
        ("America/Sao_Paulo", "00:00", "2018-11-03T12:00", ["2018-11-04T03:00", "2018-11-05T02:00"]),
        ("Africa/Cairo", "00:15", "2026-04-23T12:00", ["2026-04-23T22:00", "2026-04-24T21:15"]),
        ("Asia/Beirut", "00:00", "2026-03-28T12:00", ["2026-03-28T22:00", "2026-03-29T21:00"]),
        ("Australia/Lord_Howe", "02:15", "2026-10-03", ["2026-10-03T15:30", "2026-10-04T15:15"]),
        ("Pacific/Apia", "09:00", "2011-12-29T20:00", ["2011-12-30T10:00", "2011-12-30T19:00"]),
    ],
)
def test_a_wall_time_in_a_gap_fires_as_the_gap_ends(
    zone: str, at: str, after: str, expected: list[str]
) -> None:
    assert fires({"every": "day", "at": at, "timezone": zone}, 2, after) == expected


@pytest.mark.parametrize(
    ("zone", "at", "after", "expected"),
    [
        ("Europe/London", "01:30", "2026-03-28T12:00", "2026-03-30T00:30"),
        ("America/Sao_Paulo", "00:00", "2018-11-03T12:00", "2018-11-05T02:00"),
        ("Australia/Lord_Howe", "02:15", "2026-10-03", "2026-10-04T15:15"),
        ("Pacific/Apia", "09:00", "2011-12-29T20:00", "2011-12-30T19:00"),
    ],
)
def test_a_gap_can_be_skipped(zone: str, at: str, after: str, expected: str) -> None:
    value: JsonValue = {"every": "day", "at": at, "timezone": zone, "dst_gap": "skip"}
    assert fires(value, 1, after) == [expected]


def test_wall_times_that_fall_on_the_end_of_one_gap_fire_once() -> None:
    compiled = rule({**LONDON, "at": ["01:00", "01:30", "02:00", "02:30"]})
    dues = compiled.between(utc("2026-03-28T12:00"), utc("2026-03-30"))
    assert texts(dues) == ["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30"]


def test_a_skipped_day_does_not_repeat_the_midnight_after_it() -> None:
    dues = fires({"every": "day", "timezone": "Pacific/Apia"}, 3, "2011-12-29")
    assert dues == ["2011-12-29T10:00", "2011-12-30T10:00", "2011-12-31T10:00"]


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        ("first", ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]),
        ("last", ["2026-10-24T00:30", "2026-10-25T01:30", "2026-10-26T01:30"]),
        ("both", ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-25T01:30"]),
    ],
)
def test_a_wall_time_that_occurs_twice_fires_as_the_schedule_says(overlap: str, expected: list[str]) -> None:
    assert fires({**LONDON, "at": "01:30", "dst_overlap": overlap}, 3, "2026-10-23T12:00") == expected


def test_both_fires_of_several_times_are_in_order() -> None:
    dues = fires({**LONDON, "at": ["01:10", "01:40"], "dst_overlap": "both"}, 4, "2026-10-24T12:00")
    assert dues == ["2026-10-25T00:10", "2026-10-25T00:40", "2026-10-25T01:10", "2026-10-25T01:40"]


def test_fires_of_two_dates_are_in_order_where_clocks_go_back_over_midnight() -> None:
    # On 2001-10-28 at 00:01 the clocks of St. John's went back to 23:01 of the day before.
    zone = {"every": "day", "timezone": "America/St_Johns", "dst_overlap": "both"}
    dues = fires({**zone, "at": ["00:00", "23:30"]}, 4, "2001-10-28")
    assert dues == ["2001-10-28T02:00", "2001-10-28T02:30", "2001-10-28T03:00", "2001-10-28T03:30"]


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("2026-10-25T01:30", ["2026-10-25T00:30", "2026-10-25T01:30"]),
        ("2026-10-25T00:59", []),
        ("2026-03-29T01:30", ["2026-03-29T01:00"]),
    ],
)
def test_an_end_on_a_change_of_clocks_includes_its_wall_time(end: str, expected: list[str]) -> None:
    compiled = rule({**LONDON, "at": "01:30", "dst_overlap": "both", "end": end})
    day = end[:10]
    assert texts(compiled.between(utc(f"{day}"), utc(f"{day}T12:00"))) == expected


@pytest.mark.parametrize(
    "value",
    [
        {**LONDON, "at": "01:30", "dst_overlap": "both"},
        {"every": "day", "at": ["00:00", "23:30"], "timezone": "America/St_Johns", "dst_overlap": "both"},
    ],
)
def test_time_only_moves_on(value: JsonValue) -> None:
    dues = upcoming(rule(value), utc("2001-01-01"), 2000)
    assert dues == sorted(set(dues))
