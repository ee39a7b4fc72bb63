"""What Cronny is to reach, and whether a run reached it."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.arms import CRONNY
from bench.report import Row


@dataclass(frozen=True)
class Goal:
    """A limit for one figure of one load, or for its ratio to that of another arm."""

    text: str
    load: str
    figure: str
    limit: float
    to: str = ""  #: The arm whose figure is the unit.
    is_floor: bool = False  #: Whether more is better.

    def measured(self, rows: Sequence[Row]) -> float | None:
        """The median that a run found, if it did."""
        ours = _median(rows, self.load, CRONNY.name, self.figure)
        unit = _median(rows, self.load, self.to, self.figure) if self.to else 1.0
        return ours / unit if ours is not None and unit else None

    def is_met(self, value: float) -> bool:
        """Whether a value is within the limit."""
        return value >= self.limit if self.is_floor else value <= self.limit


HERD, STEADY, SUSTAINED = "herd of 1000", "steady 10/s", "sustained, schedules of 1 to 60 s"
GOALS = (
    Goal("1000 due at one instant, p99 in ms", HERD, "p99_ms", 150),
    Goal("… lost", HERD, "lost", 0),
    Goal("… twice", HERD, "twice", 0),
    Goal("… p99 to that of Restate", HERD, "p99_ms", 0.25, "restate"),
    Goal("… p99 to that of DBOS", HERD, "p99_ms", 0.05, "dbos sleep"),
    Goal("… p99 to that of a child started at the due", HERD, "p99_ms", 0.01, "bare parent + child"),
    Goal("10 000 due at one instant, p99 in ms", "herd of 10000", "p99_ms", 1500),
    Goal("10 a second, p50 in ms", STEADY, "p50_ms", 5),
    Goal("… p99 in ms", STEADY, "p99_ms", 25),
    Goal("sustained, to bare parent + child", SUSTAINED, "kept_up_with", 1, "bare parent + child", True),
    Goal("events of a fire in the schedule workflow", "history events", "schedule_a_fire", 15),
    Goal("events of a trigger of one stage", "history events", "trigger", 13),
    Goal("chain of 40 stages, to bare Temporal", "chain of 40", "ms", 1.3, "bare parent + child"),
    Goal("light tenant beside 25/s, p99 to alone", "light tenant beside 25/s", "beside_to_alone", 1.5),
    Goal("… p99 above alone, in ms", "light tenant beside 25/s", "beside_above_ms", 100),
    Goal("… beside 60/s, p99 above alone, in ms", "light tenant beside 60/s", "beside_above_ms", 100),
    Goal("worker killed: caught up after the restart, in s", "worker killed", "caught_up_s", 15),
    Goal("… lost", "worker killed", "lost", 0),
    Goal("… twice", "worker killed", "twice", 0),
    Goal("next hour of 10 000 schedules on one core, in s", "next hour of 10000 schedules", "find_s", 2),
    Goal("upload of 40 stages, checked, in ms", "upload of 40 stages", "p50_ms", 20),
    Goal("idle schedule, KiB in Cronny's database", "10000 idle", "database_kib_each", 8),
    Goal("… cold wake, ms of worker processor", "10000 idle", "cold_wake_worker_ms", 10),
)


def _median(rows: Sequence[Row], load: str, arm: str, figure: str) -> float | None:
    for row in rows:
        if (row.load, row.arm) == (load, arm) and row.figures.get(figure):
            return statistics.median(row.figures[figure])
    return None
