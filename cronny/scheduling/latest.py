"""The last dues of a range, without looking at all of them."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

_SPAN = timedelta(days=1)  # at the end of a range, that is looked at first
_GROWTH = 4  # of the part that is looked at, while it holds too few


class Dues(Protocol):
    """What gives dues in order."""

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The dues in (after, until]."""


def latest(dues: Dues, after: datetime, until: datetime, limit: int) -> tuple[datetime, ...]:
    """The last `limit` dues in (after, until], in order."""
    if limit <= 0 or after >= until:
        return ()
    whole = until - after
    span = min(_SPAN, whole)
    while True:
        found = deque(dues.between(until - span, until), maxlen=limit)
        if len(found) == limit or span == whole:
            return tuple(found)
        span = min(span * _GROWTH, whole)
