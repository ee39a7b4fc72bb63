from datetime import UTC, datetime, timedelta

import pytest

from cronny.scheduling.pace import SLACK, Pace

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def begun(pace: Pace, rate: int, now: datetime) -> tuple[int, Pace]:
    """How many begin at one look, and the pace afterwards."""
    count = 0
    while pace.allows(now):
        pace, count = pace.after_one(rate, now), count + 1
    return count, pace


@pytest.mark.parametrize(("rate", "most"), [(60, 61), (6000, 6100), (6, 7), (1, 2)])
def test_a_minute_of_looks_begins_so_many(rate: int, most: int) -> None:
    total, pace = 0, Pace(NOW)
    for second in range(60):
        count, pace = begun(pace, rate, NOW + second * SECOND)
        total += count
    assert rate * 59 // 60 <= total <= most


def test_an_outage_is_not_made_up_for() -> None:
    late = NOW + timedelta(hours=1)
    count, _ = begun(Pace(NOW).after_one(60, NOW), 60, late)
    assert count == SLACK // SECOND + 1
