"""What holds for every rule, whatever it says."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cronny.scheduling import compile_schedule, upcoming
from cronny.scheduling.bounds import TICK
from dsl.recurrence import LAST_YEAR
from dsl.schedule import Schedule
from tests.scheduling.strategies import delays, instants, patient, schedules

COUNT = 12
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@patient
@given(schedules, instants, instants)
def test_fires_are_utc_and_move_on(schedule: Schedule, anchor: datetime, after: datetime) -> None:
    dues = [after, *upcoming(compile_schedule(schedule, anchor), after, COUNT)]
    assert all(first < second for first, second in pairwise(dues))
    assert {due.tzinfo for due in dues} == {UTC}


@patient
@given(schedules, instants, instants)
def test_all_questions_have_the_same_answer(schedule: Schedule, anchor: datetime, after: datetime) -> None:
    compiled = compile_schedule(schedule, anchor)
    dues = upcoming(compiled, after, COUNT)
    until = dues[-1] if dues else after
    assert list(compiled.between(after, until)) == dues
    assert compiled.count(after, until) == len(dues)
    assert compiled.latest(after, until, 5) == tuple(dues[-5:])


@patient
@given(schedules, instants, instants, st.integers(0, COUNT - 1), st.timedeltas(TICK, timedelta(days=800)))
def test_next_is_the_first_due_after_any_instant(
    schedule: Schedule, anchor: datetime, after: datetime, number: int, ago: timedelta
) -> None:
    compiled = compile_schedule(schedule, anchor)
    dues = upcoming(compiled, after, COUNT)
    for due in dues[number : number + 1]:
        begin = max(after, due - ago)
        assert compiled.next(begin) == next(each for each in dues if each > begin)


@patient
@given(schedules | delays, st.sampled_from([FIRST, LAST]), st.sampled_from([FIRST, LAST]))
def test_the_ends_of_the_calendar_are_instants_like_others(
    schedule: Schedule, anchor: datetime, after: datetime
) -> None:
    dues = upcoming(compile_schedule(schedule, anchor), after, COUNT)
    assert all(due.year <= LAST_YEAR + 100 for due in dues)


@patient
@given(schedules, instants, instants, st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_an_end_only_cuts_off(schedule: Schedule, anchor: datetime, after: datetime, span: timedelta) -> None:
    end = (after + span).replace(microsecond=0)
    compiled = compile_schedule(schedule, anchor)
    ended = compile_schedule(schedule.model_copy(update={"end": end}), anchor)
    dues = upcoming(compiled, after, COUNT)
    assert upcoming(ended, after, COUNT) == [due for due in dues if due <= end]
