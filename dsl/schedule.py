"""A schedule: the rule that says when an action is triggered, read from plain language or a mapping."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, PlainSerializer, WithJsonSchema, model_validator

from dsl.durations import Duration
from dsl.fields import FieldsRead, read_fields
from dsl.options import Calendars, Catchup, Overlap
from dsl.problems import Problem
from dsl.recurrence import At, Day, Every, Exclusion, Moment, at_json, every_text, moment_text, texts_json

RuleKind = Literal["once", "delay", "interval", "calendar"]

_TEXT = {"type": "string"}
_MAPPING = {"type": "object"}
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}


def _as_text(schema: dict[str, Any], to_json: Any) -> tuple[Any, Any]:
    return WithJsonSchema(schema), PlainSerializer(to_json, when_used="json-unless-none")


class Schedule(BaseModel):
    """When an action is triggered, and what becomes of fires at clock changes and after an outage.

    Validates a phrase, the mapping of the structured form, or typed parts; its JSON is the structured form.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = None
    every: Annotated[Every | None, *_as_text(_TEXT, every_text)] = None
    on: Annotated[tuple[Day, ...], *_as_text(_TEXTS, texts_json)] = ()
    at: Annotated[At | None, *_as_text(_TEXTS, at_json)] = None
    timezone: str = "UTC"
    start: Annotated[Moment | None, *_as_text(_TEXT, moment_text)] = None
    end: Annotated[Moment | None, *_as_text(_TEXT, moment_text)] = None
    dst_gap: Literal["next", "skip"] = "next"
    dst_overlap: Literal["first", "last", "both"] = "first"
    count: int | None = None
    exclude: Annotated[tuple[Exclusion, ...], *_as_text(_TEXTS, texts_json)] = ()
    calendars: Annotated[Calendars, *_as_text(_MAPPING, Calendars.to_json)] = Calendars()
    jitter: Duration = timedelta(0)
    spread: Duration = timedelta(0)
    overlap: Overlap = "allow"
    catchup: Annotated[Catchup, *_as_text({"anyOf": [_TEXT, _MAPPING]}, Catchup.to_json)] = Catchup()
    complete_on: Literal["finish", "start"] = "finish"
    deadline: Duration | None = None
    pause_after_failures: int | None = None
    inputs: dict[str, JsonValue] = {}
    paused: bool = False

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        read = _read_value(value)
        if read.problems:
            raise ValueError("; ".join(f"{problem.where}: {problem.what}" for problem in read.problems))
        return read.fields

    @property
    def kind(self) -> RuleKind:
        """Which of the kinds of rule this is: a date, a delay, an interval or calendar days."""
        if self.every is None:
            return "delay" if isinstance(self.at, timedelta) else "once"
        return "interval" if isinstance(self.every, timedelta) else "calendar"


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
