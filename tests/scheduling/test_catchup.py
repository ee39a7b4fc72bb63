"""What becomes of fires whose time has passed."""

import pytest

from cronny.scheduling.catchup import Decision, Missed, catch_up, left_out
from dsl.options import Catchup, CatchupMode
from tests.scheduling.rules import rule, utc

HOURLY = rule("every hour")
START, LATE = utc("2026-01-01"), utc("2026-01-01T05:30")
H1, H2, H3, H4, H5 = (utc(f"2026-01-01T0{hour}:00") for hour in range(1, 6))


@pytest.mark.parametrize(
    ("catchup", "cap", "expected"),
    [
        ("all", 5, Decision((H1, H2, H3, H4, H5), ())),
        ("all", 4, Decision((H2, H3, H4, H5), (Missed(H1, H1, 1),))),
        ("all", 2, Decision((H4, H5), (Missed(H1, H3, 3),))),
        ("all", 0, Decision((), (Missed(H1, H5, 5),))),
        ("last", 100, Decision((H5,), (Missed(H1, H4, 4),))),
        ("none", 100, Decision((), (Missed(H1, H5, 5),))),
    ],
)
def test_the_rule_decides_what_is_run_late(catchup: CatchupMode, cap: int, expected: Decision) -> None:
    assert catch_up(HOURLY, START, LATE, Catchup(catchup), cap) == expected


@pytest.mark.parametrize("catchup", ["all", "last", "none"])
@pytest.mark.parametrize("late", ["2026-01-01", "2026-01-01T00:59:59", "2025-01-01"])
def test_without_fires_nothing_is_decided(catchup: CatchupMode, late: str) -> None:
    assert catch_up(HOURLY, START, utc(late), Catchup(catchup), 9) == Decision((), ())


def test_a_single_late_fire_is_run_and_nothing_missed() -> None:
    assert catch_up(HOURLY, H1, H2, Catchup("last"), 9) == Decision((H2,), ())


def test_the_start_is_excluded_and_the_end_included() -> None:
    assert left_out(HOURLY, H1, H3) == (Missed(H2, H3, 2),)


def test_a_range_may_be_years_of_seconds() -> None:
    until = utc("2126-01-01")
    missed = catch_up(rule("every second"), START, until, Catchup("all"), 1000).missed
    first, count = utc("2026-01-01T00:00:01"), 36524 * 86400 - 1000
    assert missed == (Missed(first, utc("2125-12-31T23:43:20"), count),)


def test_a_range_of_a_calendar_rule_is_counted_on_its_clocks() -> None:
    compiled = rule({"every": "day", "at": "01:30", "timezone": "Europe/London", "dst_overlap": "both"})
    missed = left_out(compiled, utc("2026-10-24"), utc("2026-10-26T12:00"))
    assert missed == (Missed(utc("2026-10-24T00:30"), utc("2026-10-26T01:30"), 4),)
