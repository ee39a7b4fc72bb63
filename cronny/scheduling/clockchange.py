"""Which fires a change of clocks touches."""

from datetime import UTC, datetime, timedelta
from typing import Literal

from dsl.schedule import Schedule

ClockChange = Literal["", "gap", "overlap"]

_SECOND = timedelta(seconds=1)


def clock_change(schedule: Schedule, local: datetime) -> ClockChange:
    """How the clocks touch a fire, given on the clocks of the schedule's zone.

    `gap`: its wall time is skipped on that day, so that it fires as the gap ends.
    `overlap`: its wall time is shown twice on that day.
    """
    if schedule.kind in ("interval", "delay") or local.tzinfo is None:
        return ""
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        return "overlap"
    if _ends_a_gap(local) and not _is_written(schedule, local):
        return "gap"
    return ""


def _ends_a_gap(local: datetime) -> bool:
    before = (local.astimezone(UTC) - _SECOND).astimezone(local.tzinfo)
    earlier, later = before.utcoffset(), local.utcoffset()
    return earlier is not None and later is not None and earlier < later


def _is_written(schedule: Schedule, local: datetime) -> bool:
    """Whether the rule names the wall time itself, so that it would fire then on any other day."""
    if isinstance(schedule.at, datetime):
        return schedule.at.tzinfo is not None or schedule.at == local.replace(tzinfo=None)
    return isinstance(schedule.at, tuple) and local.time() in schedule.at
