"""Cron text against cronsim, and where we differ from it on purpose."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from cronny.scheduling import compile_schedule, upcoming
from dsl.cron import five_fields
from dsl.schedule import Schedule, read_schedule
from dsl.zones import zone
from tests.scheduling.rules import fires, utc
from tests.scheduling.strategies import ZONES, crons, instants, patient

COUNT = 12


@patient
@given(crons, st.sampled_from(ZONES), instants)
def test_cron_text_fires_as_cronsim_says(text: str, place: str, after: datetime) -> None:
    dues = upcoming(compile_schedule(Schedule(cron=text, timezone=place), after), after, COUNT)
    assert dues == _simulated(text, place, after, dues[-1])


def _simulated(text: str, place: str, after: datetime, until: datetime) -> list[datetime]:
    """What cronsim says; it names an instant again where clocks skip several of its times."""
    begin = (after - timedelta(days=2)).astimezone(zone(place))
    dues = (due.astimezone(UTC) for due in CronSim(five_fields(text), begin))
    return list(dict.fromkeys(due for due in takewhile(lambda due: due <= until, dues) if due > after))


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("30 1 * * *", "2026-10-24T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("30 1 * * *", "2026-03-28T12:00", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("*/30 * * * *", "2026-10-25T00:20", ["2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30"]),
        ("*/30 * * * *", "2026-03-29T00:20", ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"]),
        ("30 * * * *", "2026-03-29T00:20", ["2026-03-29T00:30", "2026-03-29T01:30"]),
        ("0 9 * * 5L", "2026-01-01", ["2026-01-30T09:00", "2026-02-27T09:00"]),
        ("0 9 LW * *", "2026-01-01", ["2026-01-30T09:00", "2026-02-27T09:00"]),
        ("0 9 29 2 *", "2026-01-01", ["2028-02-29T09:00", "2032-02-29T09:00"]),
        ("@weekly", "2026-01-01", ["2026-01-04", "2026-01-11"]),
    ],
)
def test_cron_text_follows_the_clocks_of_its_zone(text: str, after: str, expected: list[str]) -> None:
    rule: JsonValue = {"cron": text, "timezone": "Europe/London"}
    assert fires(rule, len(expected), after) == expected


@pytest.mark.parametrize(
    ("gap", "overlap", "dues"),
    [
        ("skip", "last", ["2026-03-30T00:30", "2026-10-25T01:30"]),
        ("next", "both", ["2026-03-29T01:00", "2026-10-25T00:30"]),
    ],
)
def test_a_time_of_day_in_cron_text_obeys_the_options(gap: str, overlap: str, dues: list[str]) -> None:
    rule: JsonValue = {
        "cron": "30 1 * * *",
        "timezone": "Europe/London",
        "dst_gap": gap,
        "dst_overlap": overlap,
    }
    found = [*fires(rule, 1, "2026-03-28T12:00"), *fires(rule, 1, "2026-10-24T12:00")]
    assert found == dues


@given(st.text("0123456789*/,-?LW# monfeb@", max_size=25))
def test_any_cron_text_is_read_or_refused(text: str) -> None:
    schedule, problems = read_schedule({"cron": text})
    assert (schedule is None) == bool(problems)
    if schedule is not None:
        assert upcoming(compile_schedule(schedule, utc("2026-01-01")), utc("2026-01-01"), 1)
