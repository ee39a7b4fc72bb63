"""Which fires a change of clocks touches, and how."""

from datetime import UTC, datetime

import pytest

from cronny.scheduling import compile_schedule
from dsl.schedule import Schedule

# London's clocks skip 01:00 to 02:00 on 29 March 2026 and show it twice on 25 October.
BEFORE_GAP, BEFORE_OVERLAP = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phrase", "after", "expected"),
    [
        ("every day at 01:30", BEFORE_GAP, "gap"),
        ("every day at 01:00", BEFORE_GAP, "gap"),
        ("every day at 02:00", BEFORE_GAP, None),
        ("every day at 00:59", BEFORE_GAP, None),
        ("30 1 * * *", BEFORE_GAP, "gap"),
        ("every 30 minutes", BEFORE_GAP, None),
        ("every 30 minutes between 02:00 and 05:00", BEFORE_GAP, None),
        ("2026-03-29 01:30 and 2026-04-01", BEFORE_GAP, "gap"),
        ("2026-03-29 02:00", BEFORE_GAP, None),
        ("2026-03-29T01:00Z", BEFORE_GAP, None),
        ("every day at 02:00; every day at 01:30", BEFORE_GAP, "gap"),
        ("every day at 01:30 3 times", BEFORE_GAP, "gap"),
        ("every day at 01:30", BEFORE_OVERLAP, "overlap"),
        ("every day at 02:00", BEFORE_OVERLAP, None),
        ("every 30 minutes between 01:00 and 01:30", BEFORE_OVERLAP, "overlap"),
        ("2026-10-25 01:30", BEFORE_OVERLAP, "overlap"),
        ("every hour", BEFORE_OVERLAP, None),
        ("every hour except monday", BEFORE_OVERLAP, None),
    ],
)
def test_a_fire_that_a_change_of_clocks_touches_is_marked(
    phrase: str, after: datetime, expected: str | None
) -> None:
    compiled = compile_schedule(Schedule.model_validate(f"{phrase}; Europe/London"), after)
    due = compiled.next(after)
    assert due is not None
    assert compiled.touched(due) == expected
