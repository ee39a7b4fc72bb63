"""A schedule: the rule that says when an action is triggered, read from plain language or a mapping."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from dsl.durations import Duration
from dsl.fields import FieldsRead, read_fields
from dsl.options import Calendars, Catchup, Overlap
from dsl.problems import Problem
from dsl.recurrence import Exclusion, Moment, moment_text, texts_json
from dsl.rule import TEXT, TEXTS, Rule, RuleKind, as_json

__all__ = ["Rule", "RuleKind", "Schedule", "read_schedule"]

_MAPPING = {"type": "object"}


class Schedule(Rule):
    """When an action is triggered, and what becomes of fires at clock changes and after an outage.

    Validates a phrase, the mapping of the structured form, or typed parts; its JSON is the structured form.
    """

    id: str | None = None
    rules: tuple[Rule, ...] = ()
    timezone: str = "UTC"
    start: Annotated[Moment | None, *as_json(TEXT, moment_text)] = None
    end: Annotated[Moment | None, *as_json(TEXT, moment_text)] = None
    dst_gap: Literal["next", "skip"] = "next"
    dst_overlap: Literal["first", "last", "both"] = "first"
    count: int | None = None
    exclude: Annotated[tuple[Exclusion, ...], *as_json(TEXTS, texts_json)] = ()
    calendars: Annotated[Calendars, *as_json(_MAPPING, Calendars.to_json)] = Calendars()
    jitter: Duration = timedelta(0)
    spread: Duration = timedelta(0)
    overlap: Overlap = "allow"
    catchup: Annotated[Catchup, *as_json({"anyOf": [TEXT, _MAPPING]}, Catchup.to_json)] = Catchup()
    complete_on: Literal["finish", "start"] = "finish"
    deadline: Duration | None = None
    pause_after_failures: int | None = None
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    paused: bool = False

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        read = _read_value(value)
        if read.problems:
            raise ValueError("; ".join(f"{problem.where}: {problem.what}" for problem in read.problems))
        return read.fields

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """Its several rules, or the only one."""
        return self.rules or (self,)

    @property
    def kind(self) -> RuleKind:
        """Which of the kinds of rule this is; `several` for more than one rule."""
        return "several" if self.rules else super().kind

    @property
    def beat(self) -> tuple[tuple[Rule, ...], str, Moment | None]:
        """What its fires are counted by from the anchor on: changing the rest moves no interval."""
        names = Rule.model_fields
        rules = tuple(Rule(**{name: getattr(rule, name) for name in names}) for rule in self.all_rules)
        return rules, self.timezone, self.start

    @property
    def calendar_names(self) -> tuple[str, ...]:
        """The calendars that it needs."""
        return tuple(dict.fromkeys((*self.calendars.only, *self.calendars.excluded)))


def read_schedule(value: JsonValue) -> tuple[Schedule | None, list[Problem]]:
    """The schedule that a phrase or a mapping stands for, or everything that is wrong with it.

    A problem's `column` counts from 1 inside the text of its field, or inside the phrase.
    """
    read = _read_value(value)
    if read.problems:
        return None, read.problems
    return Schedule.model_validate(read.fields), []


def _read_value(value: object) -> FieldsRead:
    if isinstance(value, str):
        return read_fields({"every": value}, is_phrase=True)
    if isinstance(value, Mapping):
        return read_fields(value)
    return FieldsRead({}, [Problem("schedule", "must be a text or a mapping", "such as 'every 5 minutes'")])
