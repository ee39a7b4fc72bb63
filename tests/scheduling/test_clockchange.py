from datetime import UTC, datetime

import pytest

from cronny.scheduling import compile_schedule
from cronny.scheduling.clockchange import clock_change
from dsl.schedule import Schedule

# London's clocks skip 01:00 to 02:00 on 29 March 2026 and show it twice on 25 October.
BEFORE_GAP, BEFORE_OVERLAP = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phrase", "after", "expected"),
    [
        ("every day at 01:30", BEFORE_GAP, "gap"),
        ("every day at 01:00", BEFORE_GAP, "gap"),
        ("every day at 02:00", BEFORE_GAP, ""),
        ("every day at 00:59", BEFORE_GAP, ""),
        ("every 30 minutes", BEFORE_GAP, ""),
        ("2026-03-29 01:30", BEFORE_GAP, "gap"),
        ("2026-03-29 02:00", BEFORE_GAP, ""),
        ("every day at 01:30", BEFORE_OVERLAP, "overlap"),
        ("every day at 02:00", BEFORE_OVERLAP, ""),
        ("every 1 hour", BEFORE_OVERLAP, ""),
    ],
)
def test_a_fire_that_a_change_of_clocks_touches_is_marked(
    phrase: str, after: datetime, expected: str
) -> None:
    schedule = Schedule.model_validate(f"{phrase} Europe/London")
    compiled = compile_schedule(schedule, after)
    due = compiled.next(after)
    assert due is not None
    assert clock_change(schedule, compiled.local(due)) == expected
