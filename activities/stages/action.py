"""The kind `action`: triggers another action of the tenant."""

from datetime import datetime

from pydantic import Field, JsonValue, StrictBool

from activities.stages.kind import Block, Kind, StageContext, StageError
from activities.stages.request import Call, Request
from dsl.durations import format_duration


class ActionWith(Block):
    """The `with:` block of `action`."""

    action: str = Field(min_length=1, max_length=63, description="The name of the action.")
    inputs: dict[str, JsonValue] = Field(
        default_factory=dict, description="Values of its inputs; what is left out has its default."
    )
    wait: StrictBool = Field(
        True, description="`false`: go on as soon as it is triggered; the output is then its trigger."
    )


def request(with_: ActionWith, _: datetime) -> Request:
    """The action that is to be triggered."""
    return Request(call=Call(with_.action, with_.inputs, with_.wait))


async def run(context: StageContext[ActionWith, None]) -> JsonValue:
    """The outputs of the action; how else it ended is the error `action.failed` or `action.cancelled`."""
    answer, name = context.answer, context.with_.action
    assert answer is not None  # noqa: S101 - it is run with one
    value = answer.value if isinstance(answer.value, dict) else {}
    if not context.with_.wait:
        return {"trigger": value.get("trigger")}
    if answer.is_late:
        text = f"'{name}' did not end within {format_duration(context.timeout)}"
        raise StageError("timeout", text, retryable=True, details={"trigger": value.get("trigger")})
    match value.get("state"):
        case "completed":
            return value.get("outputs")
        case "failed":
            error = value.get("error")
            message = error.get("message") if isinstance(error, dict) else ""
            text = f"'{name}' failed{f': {message}' if message else ''}"
            raise StageError("action.failed", text, retryable=True, details=_details(value))
    raise StageError("action.cancelled", f"'{name}' was cancelled", retryable=False, details=_details(value))


def _details(value: dict[str, JsonValue]) -> JsonValue:
    return {name: value.get(name) for name in ("trigger", "state", "error")}


ACTION = Kind(
    name="action",
    with_model=ActionWith,
    connection="none",
    is_pure=False,
    is_waiting=True,
    connection_model=None,
    run=run,
    request=request,
    summary="Triggers another action, waits for its end, and gives its outputs.",
    example="""\
id: deploy
uses: action
with: {action: deploy_service, inputs: {service: orders}}
""",
)
