"""When a stage that is held, and then executes, says that its worker is there."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from temporalio.testing import ActivityEnvironment

from activities import hold
from activities.hold import BEAT, MARGIN, beat

MINUTE = timedelta(minutes=1)


class Passing:
    """Time that passes at once where a beat waits, until it has passed."""

    def __init__(self, end: timedelta) -> None:
        self.now, self._end = timedelta(), end

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        if self.now > self._end:
            raise asyncio.CancelledError


async def _beats(
    monkeypatch: pytest.MonkeyPatch,
    held: timedelta,
    end: timedelta,
    luck: float = 0,
    silence: timedelta = 5 * MINUTE,
) -> list[timedelta]:
    """The instants, from its beginning, at which a stage beats whose server waits so long and a margin."""
    passing, beats = Passing(end), list[timedelta]()
    monkeypatch.setattr(hold, "sleep", passing.sleep)
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, heartbeat_timeout=silence + MARGIN)
    environment.on_heartbeat = lambda *_: beats.append(passing.now)
    with pytest.raises(asyncio.CancelledError):
        await environment.run(beat, held, lambda: luck)
    return beats


@pytest.mark.parametrize("held", [timedelta(), MINUTE, 5 * MINUTE], ids=str)
async def test_a_short_hold_beats_only_after_its_due(
    monkeypatch: pytest.MonkeyPatch, held: timedelta
) -> None:
    assert await _beats(monkeypatch, held, held + 2 * BEAT) == [held + BEAT, held + 2 * BEAT]


@pytest.mark.parametrize("held", [timedelta(), BEAT / 2, 3 * BEAT], ids=str)
async def test_what_is_not_to_be_held_beats_as_the_server_expects(
    monkeypatch: pytest.MonkeyPatch, held: timedelta
) -> None:
    """Its clock may be behind the server's, for which the due has come."""
    beats = await _beats(monkeypatch, held, held + 2 * BEAT, silence=timedelta())
    pauses = [later - earlier for earlier, later in pairwise([timedelta(), *beats])]
    assert max(pauses) < MARGIN
    assert beats[-2:] == [held + BEAT, held + 2 * BEAT]


async def test_the_last_beat_of_a_long_hold_lets_the_server_wait_until_its_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beats = await _beats(monkeypatch, 12 * MINUTE, 12 * MINUTE + BEAT)
    assert beats == [2 * MINUTE, 7 * MINUTE, 12 * MINUTE + BEAT]


@pytest.mark.parametrize("luck", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("minutes", [5.1, 6, 8.5, 10, 13, 20])
async def test_a_herds_beats_are_spread_and_no_pause_is_longer_than_the_server_waits(
    monkeypatch: pytest.MonkeyPatch, minutes: float, luck: float
) -> None:
    held = minutes * MINUTE
    beats = await _beats(monkeypatch, held, held + BEAT, luck)
    pauses = [later - earlier for earlier, later in pairwise([timedelta(), *beats])]
    assert max(pauses[:-1]) <= 5 * MINUTE
    assert abs(held - 5 * MINUTE + luck * hold.SPREAD - beats[-2]) < timedelta(milliseconds=1)
