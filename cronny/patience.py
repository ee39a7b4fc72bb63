"""How long what was repaired is left alone before it is repaired again."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class _Trial:
    times: int
    at: datetime
    span: timedelta


class Patience:
    """Twice as long after each repair in a row; one that has held for another such span was a success."""

    def __init__(self, first: timedelta, longest: timedelta) -> None:
        self._first = first
        self._longest = longest
        self._trials: dict[str, _Trial] = {}

    def is_over(self, key: str, now: datetime) -> bool:
        """Whether this may be repaired (again)."""
        trial = self._trials.get(key)
        # A clock that was set back must not make it wait for longer.
        return trial is None or not trial.at <= now < trial.at + trial.span

    def times(self, key: str) -> int:
        """How often in a row this was repaired."""
        trial = self._trials.get(key)
        return trial.times if trial is not None else 0

    def note(self, key: str, now: datetime) -> None:
        """Take in that this is repaired now."""
        times = self.times(key)
        self._trials[key] = _Trial(times + 1, now, min(self._first * 2**times, self._longest))

    def forget(self, now: datetime) -> None:
        """Forget the repairs that have held."""
        self._trials = {key: trial for key, trial in self._trials.items() if now < trial.at + 2 * trial.span}
