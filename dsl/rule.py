"""A rule: one way to say when to fire. A schedule is one, or has several."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

from dsl.recurrence import At, Between, Day, Every, at_json, every_text, texts_json

RuleKind = Literal["once", "delay", "interval", "calendar", "cron", "several"]

TEXT = {"type": "string"}
TEXTS = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}


def as_json(schema: dict[str, Any], to_json: Any) -> tuple[Any, Any]:
    """What makes a typed value a text, or texts, in JSON and in the schema."""
    return WithJsonSchema(schema), PlainSerializer(to_json, when_used="json-unless-none")


class Rule(BaseModel):
    """When to fire: a period with days and times, an interval, dates, a delay, or cron text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: Annotated[Every | None, *as_json(TEXT, every_text)] = None
    on: Annotated[tuple[Day, ...], *as_json(TEXTS, texts_json)] = ()
    at: Annotated[At | None, *as_json(TEXTS, at_json)] = None
    between: Annotated[Between | None, *as_json(TEXT, str)] = None
    cron: str | None = None

    @property
    def kind(self) -> RuleKind:
        """Which of the kinds of rule this is: dates, a delay, an interval, calendar days or cron text."""
        if self.cron is not None:
            return "cron"
        if self.every is None:
            return "delay" if isinstance(self.at, timedelta) else "once"
        return "interval" if isinstance(self.every, timedelta) and self.between is None else "calendar"
