import asyncio
import gc
from datetime import UTC, datetime, timedelta

import pytest

from cronny import heap
from cronny.heap import EVERY, OVERDUE, ROOM, Sweeper, freeze_heap

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


class Held:
    """A clock, and the soonest due of what is held."""

    def __init__(self) -> None:
        self.now = NOW
        self.soonest: datetime | None = None

    def sweeper(self) -> Sweeper:
        return Sweeper(lambda: self.soonest, lambda: self.now)


def test_what_is_there_is_not_looked_at_again() -> None:
    gc.unfreeze()
    freeze_heap()
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    assert frozen > 1000


@pytest.mark.parametrize(
    ("since", "left", "is_moment"),
    [
        (EVERY / 2, None, False),
        (EVERY, None, True),
        (EVERY, ROOM / 2, False),
        (EVERY, ROOM * 2, True),
        (OVERDUE * 2, ROOM / 2, True),
    ],
    ids=["just swept", "nothing held", "due soon", "due later", "put off for long"],
)
def test_a_sweep_waits_until_it_delays_nothing_but_not_for_ever(
    since: timedelta, left: timedelta | None, is_moment: bool
) -> None:
    held = Held()
    sweeper = held.sweeper()
    held.now = NOW + since
    held.soonest = None if left is None else held.now + left
    assert sweeper.is_moment() is is_moment


def test_a_sweep_that_took_long_needs_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held()
    sweeper = held.sweeper()

    def collect() -> None:
        held.now += timedelta(seconds=2)

    monkeypatch.setattr(gc, "collect", collect)
    sweeper.sweep()
    held.now += EVERY
    held.soonest = held.now + timedelta(seconds=4)
    assert not sweeper.is_moment()
    held.soonest += ROOM * 2
    assert sweeper.is_moment()


async def test_python_sweeps_by_itself_only_when_the_sweeper_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(heap, "LOOK", 0.0)
    monkeypatch.setattr(heap, "EVERY", timedelta())
    usual, swept = gc.get_threshold(), asyncio.Event()
    monkeypatch.setattr(gc, "collect", swept.set)
    task = asyncio.create_task(Held().sweeper().run())
    async with asyncio.timeout(5):
        await swept.wait()
    assert gc.get_threshold()[2] == heap.NEVER
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert gc.get_threshold() == usual
