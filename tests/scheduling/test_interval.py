"""Intervals: whole periods on UTC, whatever the clocks do."""

from datetime import timedelta
from itertools import pairwise

import pytest

from cronny.scheduling import upcoming
from tests.scheduling.rules import fires, rule, texts, utc


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("every 5 minutes", ["2026-01-01T00:05", "2026-01-01T00:10", "2026-01-01T00:15"]),
        ("every 1 hour 20 minutes", ["2026-01-01T01:20", "2026-01-01T02:40", "2026-01-01T04:00"]),
        ("every 100 hours", ["2026-01-05T04:00", "2026-01-09T08:00", "2026-01-13T12:00"]),
        ("every 5 minutes starting 2026-02-01", ["2026-02-01", "2026-02-01T00:05", "2026-02-01T00:10"]),
        (
            "every hour starting 2026-07-01T09:30 Europe/London",
            ["2026-07-01T08:30", "2026-07-01T09:30", "2026-07-01T10:30"],
        ),
        (
            "every hour starting 2025-12-31T23:30",
            ["2026-01-01T00:30", "2026-01-01T01:30", "2026-01-01T02:30"],
        ),
    ],
)
def test_an_interval_counts_from_its_start_or_from_one_period_after_the_save(
    every: str, expected: list[str]
) -> None:
    assert fires(every, 3) == expected


def test_next_is_strictly_after() -> None:
    compiled = rule("every 5 minutes")
    due = utc("2026-01-01T00:05")
    just_before = due - timedelta(microseconds=1)
    assert (compiled.next(just_before), compiled.next(due)) == (due, utc("2026-01-01T00:10"))


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("2026-01-01T01:00", "2026-01-01T01:00"),
        ("2026-01-01T00:59", "2026-01-01T00:40"),
        ("2026-01-01", "2026-01-01T23:40"),
    ],
)
def test_an_end_is_inclusive_and_a_date_is_meant_whole(end: str, last: str) -> None:
    dues = upcoming(rule(f"every 20 minutes until {end}"), utc("2026-01-01"), 1000)
    assert texts(dues[-1:]) == [last]


def test_an_interval_ignores_the_changes_of_clocks() -> None:
    compiled = rule({"every": "90 minutes", "timezone": "Europe/London"}, "2026-03-28T20:00")
    dues = upcoming(compiled, utc("2026-03-28T20:00"), 10)
    assert {second - first for first, second in pairwise(dues)} == {timedelta(minutes=90)}


def test_an_interval_does_not_drift_in_a_hundred_years() -> None:
    compiled = rule("every 7 seconds")
    due = compiled.next(utc("2126-01-01"))
    assert due is not None
    assert (due - utc("2026-01-01")) % timedelta(seconds=7) == timedelta(0)


def test_fractions_of_the_save_are_rounded_up_to_a_whole_second() -> None:
    compiled = rule("every 10 seconds", "2026-01-01T00:00:00.250")
    assert compiled.next(utc("2026-01-01")) == utc("2026-01-01T00:00:11")


def test_years_of_fires_are_counted_without_being_listed() -> None:
    compiled = rule("every second")
    assert compiled.count(utc("2026-01-01"), utc("2126-01-01")) == 36524 * 86400


def test_the_latest_of_years_of_fires_are_found_without_listing_them() -> None:
    compiled = rule("every second")
    dues = compiled.latest(utc("2026-01-01"), utc("2126-01-01"), 2)
    assert dues == (utc("2125-12-31T23:59:59"), utc("2126-01-01"))


@pytest.mark.parametrize("until", ["2025-06-01", "2026-01-01", "2026-01-01T00:04:59"])
def test_nothing_fires_before_the_first_due(until: str) -> None:
    compiled, after = rule("every 5 minutes"), utc("2025-01-01")
    until_instant = utc(until)
    seen = (
        compiled.count(after, until_instant),
        compiled.latest(after, until_instant, 9),
        list(compiled.between(after, until_instant)),
    )
    assert seen == (0, (), [])
