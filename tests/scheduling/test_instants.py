"""Dates and delays: rules that fire once."""

import pytest
from pydantic import JsonValue

from cronny.scheduling import never_fires
from tests.scheduling.rules import fires, rule, texts, utc


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-12-24 18:00", ["2026-12-24T18:00"]),
        ("2026-12-24 18:00 Europe/London", ["2026-12-24T18:00"]),
        ("2026-06-24 18:00 Europe/London", ["2026-06-24T17:00"]),
        ("2026-12-24 Asia/Tokyo", ["2026-12-23T15:00"]),
        ("2026-12-24T18:00+02:00", ["2026-12-24T16:00"]),
        ("in 10 minutes", ["2026-01-01T00:10"]),
        ("in 36 hours", ["2026-01-02T12:00"]),
        ({"at": "2026-03-29T01:30", "timezone": "Europe/London"}, ["2026-03-29T01:00"]),
        ({"at": "2026-03-29T01:30", "timezone": "Europe/London", "dst_gap": "skip"}, []),
        ({"at": "2026-10-25T01:30", "timezone": "Europe/London"}, ["2026-10-25T00:30"]),
        (
            {"at": "2026-10-25T01:30", "timezone": "Europe/London", "dst_overlap": "last"},
            ["2026-10-25T01:30"],
        ),
        (
            {"at": "2026-10-25T01:30", "timezone": "Europe/London", "dst_overlap": "both"},
            ["2026-10-25T00:30", "2026-10-25T01:30"],
        ),
    ],
)
def test_a_date_or_a_delay_fires_once(value: JsonValue, expected: list[str]) -> None:
    assert fires(value, 9) == expected


def test_a_delay_is_never_shorter_than_asked_for() -> None:
    compiled = rule("in 2 seconds", "2026-01-01T00:00:00.900")
    assert compiled.next(utc("2026-01-01")) == utc("2026-01-01T00:00:03")


@pytest.mark.parametrize(
    ("after", "is_over"), [("2026-12-24T17:59:59", False), ("2026-12-24T18:00", True), ("2030-01-01", True)]
)
def test_a_date_has_passed_once_it_has_fired(after: str, is_over: bool) -> None:
    assert never_fires(rule("2026-12-24 18:00"), utc(after)) is is_over


@pytest.mark.parametrize(
    ("limit", "expected"), [(0, []), (1, ["2026-10-25T01:30"]), (5, ["2026-10-25T00:30", "2026-10-25T01:30"])]
)
def test_the_latest_are_the_last_ones(limit: int, expected: list[str]) -> None:
    compiled = rule({"at": "2026-10-25T01:30", "timezone": "Europe/London", "dst_overlap": "both"})
    assert texts(compiled.latest(utc("2026-01-01"), utc("2027-01-01"), limit)) == expected


def test_between_excludes_its_begin_and_includes_its_end() -> None:
    compiled, due = rule("2026-12-24 18:00"), utc("2026-12-24T18:00")
    earlier = utc("2026-12-24T17:00")
    assert (list(compiled.between(earlier, due)), list(compiled.between(due, due))) == ([due], [])
