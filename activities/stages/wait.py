"""The kind `wait`: for a span, until an instant, or until somebody calls."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field, JsonValue, StrictBool, model_validator

from activities.stages.kind import Block, Kind, StageContext, StageError
from activities.stages.request import Request
from cronny.names import instant_text
from dsl.action import Span
from dsl.durations import format_duration
from dsl.waiting import LONGEST_WAIT


def _with_offset(value: object) -> object:
    try:
        if isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None:
            return value
    except ValueError:
        pass
    raise ValueError("must be an instant with its offset; write it like 2026-12-24T18:00:00Z")


Moment = Annotated[AwareDatetime, BeforeValidator(_with_offset)]


class WaitWith(Block):
    """The `with:` block of `wait`."""

    for_: Span | None = Field(None, alias="for", description="How long, from the moment it begins.")
    until: Moment | None = Field(
        None, description="The instant it ends, with its offset; one that has passed ends it at once."
    )
    webhook: StrictBool = Field(
        False, description="`true`: until its own secret URL is called; what is sent becomes the output."
    )
    remind_after: Span | None = Field(
        None, description="When connectors `on: reminder` fire, if it still waits then."
    )

    @model_validator(mode="after")
    def _one_of_three(self) -> "WaitWith":
        given = [self.for_ is not None, self.until is not None, self.webhook]
        if given.count(True) != 1:
            raise ValueError("give one of 'for', 'until' and 'webhook: true'")
        if self.for_ is not None and self.for_ > LONGEST_WAIT:
            raise ValueError(f"for: must be at most {LONGEST_WAIT.days} days")
        return self


def request(with_: WaitWith, now: datetime) -> Request:
    """What it waits for; raises StageError for an instant that is too far away."""
    until = now + with_.for_ if with_.for_ is not None else with_.until
    if until is not None and until - now > LONGEST_WAIT:
        text = f"until: {instant_text(until)} is more than {LONGEST_WAIT.days} days away"
        raise StageError("validation", text, retryable=False)
    return Request(until=until, is_hook=with_.webhook, remind_after=with_.remind_after)


async def run(context: StageContext[WaitWith, None]) -> JsonValue:
    """When it ended, and what was sent."""
    answer = context.answer
    assert answer is not None  # noqa: S101 - it is run with one
    if answer.is_late:
        what = "nobody called" if context.with_.webhook else "the wait is not over"
        raise StageError("timeout", f"{what} within {format_duration(context.timeout)}", retryable=False)
    if context.with_.webhook:
        return answer.value
    return {"at": instant_text(answer.at)}


WAIT = Kind(
    name="wait",
    with_model=WaitWith,
    connection="none",
    is_pure=False,
    is_waiting=True,
    connection_model=None,
    run=run,
    request=request,
    summary="Waits for a span, until an instant, or until its own secret URL is called, and holds nothing.",
    example="""\
id: cool_down
uses: wait
with: {until: "${{ trigger.due + duration('30m') }}"}
""",
)
