"""Whatever a schedule is woken for, and whenever: each nominal fire is handed out exactly once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cronny.scheduling import Compiled, compile_schedule
from cronny.scheduling.allocation import GRACE, LEAD, Handout, Position, hand_out
from cronny.scheduling.bounds import TICK
from cronny.scheduling.catchup import Missed
from dsl.options import Catchup
from dsl.schedule import Schedule
from tests.scheduling.strategies import instants, patient, schedules


@dataclass(frozen=True)
class Wake:
    """A wake some time after the one before, perhaps by a clock that was set back, perhaps out of a pause."""

    passed: timedelta
    catchup: Catchup
    is_resume: bool
    ahead: timedelta  #: How much earlier than its lead the next fire is to be allocated.


SPANS = st.sampled_from([10, 70, 4000, 100_000, 10_000_000])
WAKES = st.lists(
    st.builds(
        Wake,
        passed=SPANS.flatmap(lambda most: st.integers(-most // 9, most)).map(lambda n: timedelta(seconds=n)),
        catchup=st.builds(Catchup, st.sampled_from(["all", "last", "none"])),
        is_resume=st.booleans(),
        ahead=st.integers(0, 600).map(lambda n: timedelta(seconds=n)),
    ),
    min_size=1,
    max_size=8,
)


@dataclass
class Ledger:
    """What a schedule's wakes have handed out."""

    cursor: datetime
    run: list[datetime] = field(default_factory=list)
    ranges: list[Missed] = field(default_factory=list)
    handouts: list[tuple[datetime, Handout]] = field(default_factory=list)

    def wake(self, compiled: Compiled, wakes: list[Wake]) -> None:
        now, wake_at = self.cursor, None
        for wake in wakes:
            now += wake.passed
            position = Position(self.cursor, now if wake.is_resume else None, wake_at)
            handout = hand_out(compiled, position, now, wake.catchup)
            self.run += handout.run
            self.ranges += [*handout.skipped, *handout.missed]
            self.cursor = handout.cursor
            self.handouts.append((now, handout))
            wake_at = handout.next_due - LEAD - wake.ahead if handout.next_due else None


@patient
@given(schedules, instants, WAKES)
def test_each_fire_is_run_skipped_or_missed_once(
    schedule: Schedule, first: datetime, wakes: list[Wake]
) -> None:
    compiled, ledger = compile_schedule(schedule, first), Ledger(first)
    ledger.wake(compiled, wakes)
    entries = sorted(
        [*ledger.ranges, *(Missed(due, due, 1) for due in ledger.run)], key=lambda each: each.first
    )
    assert all(earlier.last < later.first for earlier, later in pairwise(entries))
    assert all(_is_range(compiled, entry) for entry in entries)
    assert sum(entry.count for entry in entries) == compiled.count(first, ledger.cursor)


@patient
@given(schedules, instants, WAKES)
def test_the_cursor_moves_on_and_the_next_due_follows_it(
    schedule: Schedule, first: datetime, wakes: list[Wake]
) -> None:
    compiled, ledger = compile_schedule(schedule, first), Ledger(first)
    ledger.wake(compiled, wakes)
    cursors = [first, *(handout.cursor for _, handout in ledger.handouts)]
    assert cursors == sorted(cursors)
    assert all(now + LEAD <= handout.cursor for now, handout in ledger.handouts)
    assert all(handout.next_due == compiled.next(handout.cursor) for _, handout in ledger.handouts)


@patient
@given(schedules, instants, WAKES)
def test_a_fire_is_left_out_only_when_its_grace_is_over(
    schedule: Schedule, first: datetime, wakes: list[Wake]
) -> None:
    ledger = Ledger(first)
    ledger.wake(compile_schedule(schedule, first), wakes)
    assert all(each.last <= now - GRACE for now, handout in ledger.handouts for each in handout.missed)
    assert all(each.last <= now for now, handout in ledger.handouts for each in handout.skipped)


def _is_range(compiled: Compiled, entry: Missed) -> bool:
    """Whether both ends are fires, with the stated number of fires from one to the other."""
    ends = (compiled.next(entry.first - TICK), *compiled.latest(entry.first - TICK, entry.last, 1))
    return ends == (entry.first, entry.last) and compiled.count(entry.first - TICK, entry.last) == entry.count
