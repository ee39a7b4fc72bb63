"""When a stage that is held, and then executes, says that its worker is there."""

import asyncio
from dataclasses import replace
from datetime import timedelta

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


async def _beats(monkeypatch: pytest.MonkeyPatch, held: timedelta, end: timedelta) -> list[timedelta]:
    """The instants, from its beginning, at which a stage beats whose server waits three minutes and more."""
    passing, beats = Passing(end), list[timedelta]()
    monkeypatch.setattr(hold, "sleep", passing.sleep)
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, heartbeat_timeout=3 * MINUTE + MARGIN)
    environment.on_heartbeat = lambda *_: beats.append(passing.now)
    with pytest.raises(asyncio.CancelledError):
        await environment.run(beat, held)
    return beats


@pytest.mark.parametrize("held", [timedelta(), MINUTE, 3 * MINUTE], ids=str)
async def test_a_short_hold_beats_only_after_its_due(
    monkeypatch: pytest.MonkeyPatch, held: timedelta
) -> None:
    assert await _beats(monkeypatch, held, held + 2 * BEAT) == [held + BEAT, held + 2 * BEAT]


async def test_the_last_beat_of_a_long_hold_lets_the_server_wait_until_its_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beats = await _beats(monkeypatch, 8 * MINUTE, 8 * MINUTE + BEAT)
    assert beats == [2 * MINUTE, 5 * MINUTE, 8 * MINUTE + BEAT]
