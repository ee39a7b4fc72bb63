from datetime import UTC, datetime, timedelta

from activities.delays import DELAY, RECENT, Delays

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


def test_a_tenant_is_slow_for_a_while_after_a_trigger_that_took_too_long() -> None:
    delays = Delays()
    delays.note("quick", NOW - DELAY, NOW)
    delays.note("slow", NOW - DELAY * 2, NOW)
    assert [set(delays.slow(now)) for now in (NOW, NOW + RECENT)] == [{"slow"}, set()]


def test_of_a_tenant_that_is_slow_the_latest_allocation_counts() -> None:
    delays = Delays()
    for earlier in (3, 2, 4):
        delays.note("slow", NOW - DELAY * earlier, NOW)
    assert delays.slow(NOW) == {"slow": NOW - DELAY * 2}


def test_a_clock_that_was_set_back_leaves_nobody_slow() -> None:
    delays = Delays()
    delays.note("slow", NOW - DELAY * 2, NOW)
    assert set(delays.slow(NOW - timedelta(hours=1))) == set()
