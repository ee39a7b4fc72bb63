"""When a fire is to happen in fact: its due, moved by what `spread` and `jitter` ask for."""

from datetime import datetime, timedelta
from hashlib import blake2b

from dsl.schedule import Schedule

_STEPS = 1 << 64


def planned(schedule: Schedule, schedule_id: str, due: datetime, next_due: datetime | None) -> datetime:
    """The instant at which the fire due at `due` is to happen: the same whenever it is asked for.

    `spread` moves all fires of a schedule alike, `jitter` each by an amount of its own; neither moves one
    to or beyond the next due.
    """
    if not schedule.spread and not schedule.jitter:
        return due
    room = next_due - due if next_due is not None else timedelta.max
    spread = _part(min(schedule.spread, room), schedule_id)
    # Jitter must not pass the following nominal time, or triggers would swap.
    jitter = _part(min(schedule.jitter, room - spread), f"{schedule_id} {due.isoformat()}")
    return due + spread + jitter


def _part(most: timedelta, key: str) -> timedelta:
    """An amount from 0 to below `most` that looks random and depends on the key alone."""
    number = int.from_bytes(blake2b(key.encode(), digest_size=8).digest())
    return timedelta(microseconds=most // timedelta(microseconds=1) * number // _STEPS)
