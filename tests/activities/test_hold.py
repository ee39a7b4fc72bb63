import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities import hold
from activities.hold import Holds
from cronny.clock import Clock, wall_clock

DUE = datetime(2026, 11, 24, 9, tzinfo=UTC)


def scripted(offsets: Iterable[timedelta]) -> tuple[Clock, Iterator[timedelta]]:
    """A clock that reads DUE plus each offset in turn, and the readings it has left."""
    left = iter(offsets)
    return lambda: DUE + next(left), left


@given(st.lists(st.integers(-500, 500).map(lambda us: timedelta(microseconds=us)), max_size=12))
def test_a_hold_ends_at_the_first_reading_that_is_not_early(offsets: list[timedelta]) -> None:
    """Whichever way the clock is stepped meanwhile."""
    clock, left = scripted([*offsets, timedelta()])
    asyncio.run(Holds(clock).until(DUE))
    first = next((index for index, offset in enumerate(offsets) if offset >= timedelta()), len(offsets))
    assert list(left) == [*offsets, timedelta()][first + 1 :]


async def test_a_hold_is_never_early_by_the_wall_clock() -> None:
    due = wall_clock() + timedelta(milliseconds=60)
    await Holds(wall_clock).until(due)
    assert timedelta() <= wall_clock() - due < timedelta(seconds=1)


async def test_a_clock_stepped_forward_is_noticed_within_a_nap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "LONGEST_NAP", 0.01)
    clock, _ = scripted([timedelta(hours=-1), timedelta(hours=1)])
    async with asyncio.timeout(1):
        await Holds(clock).until(DUE)


async def test_a_clock_stepped_back_makes_a_hold_wait_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "LONGEST_NAP", 0.01)
    steps = [timedelta(milliseconds=-5), timedelta(hours=-1), timedelta(milliseconds=-5), timedelta()]
    clock, left = scripted(steps)
    await Holds(clock).until(DUE)
    assert list(left) == []


async def test_holds_are_given_back_at_once_and_cost_no_attempt() -> None:
    holds = Holds(wall_clock)
    waiting = [asyncio.create_task(holds.until(wall_clock() + timedelta(hours=1))) for _ in range(3)]
    await asyncio.sleep(0)
    holds.give_back()
    async with asyncio.timeout(1):
        ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in ended] == [ApplicationError] * 3
    assert {_told(one) for one in ended if isinstance(one, ApplicationError)} == {
        ("given_back", ApplicationErrorCategory.BENIGN, hold.TAKEN_OVER)
    }


def _told(error: ApplicationError) -> object:
    return error.type, error.category, error.next_retry_delay


async def test_a_worker_that_shuts_down_takes_no_hold() -> None:
    holds = Holds(wall_clock)
    holds.give_back()
    with pytest.raises(ApplicationError, match="shuts down"):
        await holds.until(wall_clock() + timedelta(hours=1))


async def test_what_is_due_executes_even_while_the_worker_shuts_down() -> None:
    holds = Holds(wall_clock)
    holds.give_back()
    await holds.until(wall_clock())


async def test_a_cancelled_hold_leaves_nothing_behind() -> None:
    holds = Holds(wall_clock)
    waiting = asyncio.create_task(holds.until(wall_clock() + timedelta(hours=1)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert holds.soonest() is None


async def test_the_soonest_due_is_that_of_what_is_held() -> None:
    holds, hour = Holds(wall_clock), timedelta(hours=1)
    now = wall_clock()
    waiting = [asyncio.create_task(holds.until(now + hour * number)) for number in (2, 1, 3)]
    await asyncio.sleep(0)
    assert holds.soonest() == now + hour
    holds.give_back()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert holds.soonest() is None
