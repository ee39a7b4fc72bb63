from datetime import UTC, datetime, timedelta

from cronny.scheduling import compile_schedule
from cronny.scheduling.compiled import Compiled
from cronny.scheduling.difference import MOST, SHOWN, SPAN, difference
from dsl.schedule import Schedule

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday


def rule(phrase: str) -> Compiled:
    return compile_schedule(Schedule.model_validate(phrase), START)


def test_the_same_rule_changes_nothing() -> None:
    found = difference(rule("every day at 09:00"), rule("daily at 9am"), START)
    assert (found.until, found.added.count, found.removed.count) == (START + SPAN, 0, 0)


def test_fires_come_and_go() -> None:
    found = difference(
        rule("every day at 09:00"), rule("every weekday at 09:00 and 10:00"), START, timedelta(7)
    )
    weekend = [START + timedelta(days, hours=9) for days in (5, 6)]
    fresh = [START + timedelta(days, hours=10) for days in range(5)]
    assert (found.removed.first, found.added.first) == (weekend, fresh)


def test_a_new_rule_adds_and_none_removes_everything() -> None:
    daily = rule("every day at 09:00")
    assert difference(None, daily, START).added.count == 90
    assert difference(daily, None, START).removed.count == 90


def test_of_many_fires_the_first_are_named() -> None:
    found = difference(None, rule("every hour"), START)
    assert (found.added.count, len(found.added.first)) == (90 * 24, SHOWN)


def test_a_frequent_rule_is_looked_at_less_far() -> None:
    found = difference(rule("every 2 seconds"), rule("every second"), START)
    assert found.until == START + timedelta(seconds=MOST)
    assert (found.added.count, found.removed.count) == (MOST // 2, 0)
