"""Jitter and spread: when a fire is to happen in fact."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cronny.scheduling import planned
from dsl.schedule import Schedule
from tests.scheduling.rules import utc

DUE = utc("2026-01-01")
MINUTE = timedelta(minutes=1)
amounts = st.timedeltas(timedelta(0), timedelta(days=2))


def schedule(jitter: timedelta = timedelta(0), spread: timedelta = timedelta(0)) -> Schedule:
    return Schedule(every=MINUTE, jitter=jitter, spread=spread)


def moved(of: Schedule, number: int, schedule_id: str = "a") -> timedelta:
    due = DUE + number * 10 * MINUTE
    return planned(of, schedule_id, due, due + 10 * MINUTE) - due


@given(amounts, amounts, st.text(max_size=9), st.none() | st.timedeltas(timedelta(microseconds=1)))
def test_a_fire_is_never_early_nor_beyond_the_next(
    jitter: timedelta, spread: timedelta, key: str, room: timedelta | None
) -> None:
    following: datetime | None = DUE + min(room, timedelta(days=900)) if room else None
    found = planned(schedule(jitter, spread), key, DUE, following)
    assert DUE <= found <= DUE + jitter + spread
    assert following is None or found < following


def test_without_jitter_and_spread_a_fire_is_on_its_due() -> None:
    assert moved(schedule(), 0) == timedelta(0)


def test_jitter_moves_each_fire_by_its_own_amount_and_always_by_the_same() -> None:
    amounts = [moved(schedule(jitter=MINUTE), number) for number in range(200)]
    assert amounts == [moved(schedule(jitter=MINUTE), number) for number in range(200)]
    assert len(set(amounts)) == 200
    assert min(amounts) < MINUTE / 20 < MINUTE * 19 / 20 < max(amounts) < MINUTE


def test_spread_moves_all_fires_of_a_schedule_alike_and_those_of_others_differently() -> None:
    of = schedule(spread=MINUTE)
    assert len({moved(of, number) for number in range(50)}) == 1
    assert len({moved(of, 0, f"schedule {number}") for number in range(50)}) == 50
