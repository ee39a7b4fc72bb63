"""What a wake of a schedule allocates, and how far it moves on."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from cronny.scheduling.allocation import CAP, Handout, Position, hand_out
from cronny.scheduling.catchup import Missed
from dsl.options import Catchup, CatchupMode
from tests.scheduling.rules import rule, utc

DAILY = rule("every day at 09:00")


def at(cursor: str, *, skip_until: str | None = None, wake_at: str | None = None) -> Position:
    return Position(utc(cursor), utc(skip_until) if skip_until else None, utc(wake_at) if wake_at else None)


def test_a_new_schedule_is_not_allocated_before_its_lead() -> None:
    handout = hand_out(DAILY, at("2026-01-05T06:00"), utc("2026-01-05T06:00"), Catchup())
    assert handout == Handout((), (), (), utc("2026-01-05T06:00:05"), utc("2026-01-05T09:00"))


def test_a_fire_within_the_lead_is_allocated_without_a_wake() -> None:
    handout = hand_out(DAILY, at("2026-01-05T08:00"), utc("2026-01-05T08:59:55"), Catchup())
    expected = (utc("2026-01-05T09:00"),), utc("2026-01-05T09:00"), utc("2026-01-06T09:00")
    assert (handout.run, handout.cursor, handout.next_due) == expected


def test_a_wake_allocates_its_fire_however_early_it_is() -> None:
    position = at("2026-01-05T08:00", wake_at="2026-01-05T08:50")
    handout = hand_out(DAILY, position, utc("2026-01-05T08:50"), Catchup())
    expected = (utc("2026-01-05T09:00"),), utc("2026-01-05T09:00"), utc("2026-01-06T09:00")
    assert (handout.run, handout.cursor, handout.next_due) == expected


def test_before_its_wake_only_the_lead_is_looked_at() -> None:
    position = at("2026-01-05T08:00", wake_at="2026-01-05T08:50")
    handout = hand_out(DAILY, position, utc("2026-01-05T08:49"), Catchup())
    assert (handout.run, handout.next_due) == ((), utc("2026-01-05T09:00"))


def test_a_wake_that_was_overslept_does_not_allocate_the_following_fire() -> None:
    position = at("2026-01-05T08:00", wake_at="2026-01-05T08:59:55")
    handout = hand_out(DAILY, position, utc("2026-01-05T12:00"), Catchup())
    expected = (utc("2026-01-05T09:00"),), utc("2026-01-05T12:00:05"), utc("2026-01-06T09:00")
    assert (handout.run, handout.cursor, handout.next_due) == expected


@pytest.mark.parametrize(
    ("mode", "run", "missed"),
    [
        ("all", (5, 6, 7), ()),
        ("last", (7,), (Missed(utc("2026-01-05T09:00"), utc("2026-01-06T09:00"), 2),)),
        ("none", (), (Missed(utc("2026-01-05T09:00"), utc("2026-01-07T09:00"), 3),)),
    ],
)
def test_after_an_outage_the_catchup_rule_decides(
    mode: CatchupMode, run: tuple[int, ...], missed: tuple[Missed, ...]
) -> None:
    handout = hand_out(DAILY, at("2026-01-05"), utc("2026-01-07T18:00"), Catchup(mode))
    assert (handout.run, handout.missed) == (tuple(utc(f"2026-01-0{day}T09:00") for day in run), missed)


@pytest.mark.parametrize(("now", "count"), [("2026-01-05T09:00:59", 1), ("2026-01-05T09:01:00", 0)])
def test_a_fire_is_merely_late_for_a_minute(now: str, count: int) -> None:
    handout = hand_out(DAILY, at("2026-01-05"), utc(now), Catchup("none"))
    assert (len(handout.run), len(handout.missed)) == (count, 1 - count)


def test_a_catch_up_has_a_cap() -> None:
    handout = hand_out(rule("every minute"), at("2026-01-01"), utc("2026-01-05"), Catchup())
    late = 4 * 24 * 60 - 1
    assert (len(handout.run), handout.missed[0].count) == (CAP + 1, late - CAP)


def test_what_fell_into_a_pause_is_skipped() -> None:
    position = at("2026-01-05", skip_until="2026-01-06T12:00")
    handout = hand_out(DAILY, position, utc("2026-01-06T12:00"), Catchup())
    skipped = Missed(utc("2026-01-05T09:00"), utc("2026-01-06T09:00"), 2)
    assert (handout.run, handout.skipped, handout.missed) == ((), (skipped,), ())


def test_what_was_missed_after_a_pause_is_caught_up() -> None:
    position = at("2026-01-05", skip_until="2026-01-05T12:00")
    handout = hand_out(DAILY, position, utc("2026-01-06T12:00"), Catchup())
    skipped = Missed(utc("2026-01-05T09:00"), utc("2026-01-05T09:00"), 1)
    assert (handout.run, handout.skipped) == ((utc("2026-01-06T09:00"),), (skipped,))


def test_a_pause_that_ended_on_a_faster_clock_is_skipped_to_its_end() -> None:
    position = at("2026-01-05", skip_until="2026-01-05T09:00:00.2")
    handout = hand_out(DAILY, position, utc("2026-01-05T08:59:59.9"), Catchup())
    assert (handout.run, len(handout.skipped)) == ((), 1)


def test_a_pause_before_the_cursor_is_over() -> None:
    position = at("2026-01-06", skip_until="2026-01-05T12:00")
    handout = hand_out(DAILY, position, utc("2026-01-06T09:00"), Catchup())
    assert (handout.run, handout.skipped) == ((utc("2026-01-06T09:00"),), ())


@pytest.mark.parametrize(
    ("phrase", "seconds"),
    [
        ("every second", range(1, 16)),
        ("every 5 seconds", (5, 10, 15)),
        ("every 59 seconds", ()),
        ("every minute", ()),
    ],
)
def test_a_frequent_schedule_is_allocated_some_seconds_further(phrase: str, seconds: Sequence[int]) -> None:
    handout = hand_out(rule(phrase), at("2026-01-01"), utc("2026-01-01"), Catchup())
    assert handout.run == tuple(utc("2026-01-01") + timedelta(seconds=second) for second in seconds)


def test_a_frequent_wake_allocates_a_window_beyond_its_fire() -> None:
    position = at("2026-01-01T00:01", wake_at="2026-01-01T00:01:02")
    handout = hand_out(rule("every 7 seconds", "2026-01-01"), position, utc("2026-01-01T00:01:02"), Catchup())
    assert handout.run == (utc("2026-01-01T00:01:03"), utc("2026-01-01T00:01:10"), utc("2026-01-01T00:01:17"))


@pytest.mark.parametrize("now", ["2026-01-05T06:00", "2025-12-31"])
def test_the_cursor_does_not_go_back_with_the_clock(now: str) -> None:
    handout = hand_out(DAILY, at("2026-01-05T12:00"), utc(now), Catchup())
    assert handout == Handout((), (), (), utc("2026-01-05T12:00"), utc("2026-01-06T09:00"))


def test_a_schedule_that_has_ended_has_no_next_due() -> None:
    handout = hand_out(rule("2026-01-05 09:00"), at("2026-01-05"), utc("2026-01-05T09:00"), Catchup())
    assert (handout.run, handout.next_due) == ((utc("2026-01-05T09:00"),), None)
