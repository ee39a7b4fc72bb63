"""A schedule: the rule that says when an action is triggered, read from plain language or a mapping."""

from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from dsl.problems import Problem
from dsl.recurrence import At, Day, Every, Moment

RuleKind = Literal["once", "delay", "interval", "calendar"]


class Schedule(BaseModel):
    """When an action is triggered, and what becomes of fires at clock changes and after an outage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = None
    every: Every | None = None
    on: tuple[Day, ...] = ()
    at: At | None = None
    timezone: str = "UTC"
    start: Moment | None = None
    end: Moment | None = None
    dst_gap: Literal["next", "skip"] = "next"
    dst_overlap: Literal["first", "last", "both"] = "first"
    catchup: Literal["all", "last", "none"] = "all"
    inputs: dict[str, JsonValue] = {}
    paused: bool = False

    @property
    def kind(self) -> RuleKind:
        """Which of the kinds of rule this is: a date, a delay, an interval or calendar days."""
        if self.every is None:
            return "delay" if isinstance(self.at, timedelta) else "once"
        return "interval" if isinstance(self.every, timedelta) else "calendar"


def read_schedule(value: JsonValue) -> tuple[Schedule | None, list[Problem]]:
    """The schedule that a phrase or a mapping stands for, or everything that is wrong with it."""
    raise NotImplementedError
