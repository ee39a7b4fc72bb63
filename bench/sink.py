"""Where every arm notes that a fire runs: one file, a record for each, appended atomically."""

import os
import statistics
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SINK_PATH = "BENCH_SINK"  # the environment variable that names the file of hits
RECORD = struct.Struct("<24sdd")  # an id, its due and the instant it ran, in seconds since 1970


@dataclass(frozen=True)
class Hit:
    """One fire that ran."""

    id: str
    due: float
    at: float


class Sink:
    """A file of hits, written by workers and read by the bench."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def hit(self, fire: str, due: float) -> None:
        """Note that a fire runs now."""
        now = time.time()
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(self._file, RECORD.pack(fire.encode()[-24:], due, now))

    def clear(self) -> None:
        """Forget every hit; who writes goes on with the same file."""
        self._path.touch()
        os.truncate(self._path, 0)

    def read(self) -> list[Hit]:
        """The hits so far."""
        content = self._path.read_bytes() if self._path.exists() else b""
        whole = len(content) - len(content) % RECORD.size
        return [
            Hit(name.rstrip(b"\0").decode(), due, at) for name, due, at in RECORD.iter_unpack(content[:whole])
        ]


@dataclass(frozen=True)
class Lateness:
    """How late the fires of one run were, in milliseconds."""

    count: int
    p50: float
    p99: float
    worst: float
    earliest: float
    twice: int


def lateness(hits: Sequence[Hit]) -> Lateness:
    """The figures of some hits, of which there is at least one."""
    late = sorted((hit.at - hit.due) * 1000 for hit in hits)
    distinct = {(hit.id, hit.due) for hit in hits}
    return Lateness(
        count=len(hits),
        p50=statistics.median(late),
        p99=percentile(late, 0.99),
        worst=late[-1],
        earliest=late[0],
        twice=len(hits) - len(distinct),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the sorted values lies, between neighbours in proportion."""
    place = (len(values) - 1) * share
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)
