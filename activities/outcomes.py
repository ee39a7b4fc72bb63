"""What came of an attempt, as it will be recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from pydantic import JsonValue

from activities.blobs.keeping import LARGE, Blobs, is_light
from activities.masking import Masker
from activities.scope import Ended, Sight, failed_with
from activities.stages.kind import StageError
from cronny.store.blobs import Larges
from cronny.store.tables import TriggerRow

LONG = 2000  # characters of a text in the details of an error that are too large
MANY = 50  # parts of a list there
DEEP = 6  # levels there


@dataclass(frozen=True)
class Outcome:
    """How a stage, or an item, ended."""

    ended: Ended
    sight: Sight
    input: JsonValue = None
    large: Larges = field(default_factory=dict)  #: What of its input and output is kept elsewhere.


@dataclass(frozen=True)
class Again:
    """An attempt that failed and is to be followed by another one."""

    delay: timedelta
    error: JsonValue
    code: str
    sight: Sight
    input: JsonValue


async def kept(blobs: Blobs, trigger: TriggerRow, outcome: Outcome) -> Outcome:
    """The outcome, what is large of it kept elsewhere; a failure where its output cannot be.

    An input is only for people: what a stage came to does not depend on whether it can be shown.
    """
    keep = partial(blobs.keep, trigger.tenant_id, trigger.id)
    try:
        large = await keep({"output": outcome.ended.output})
    except StageError as error:
        large, outcome = {}, replace(outcome, ended=failed_with(error, outcome.ended.attempts))
    try:
        return replace(outcome, large={**large, **await keep({"input": outcome.input})})
    except StageError as error:
        return replace(outcome, large=large, input=f"(not kept: {error.message})")


def described(error: StageError, masker: Masker) -> JsonValue:
    """An error as records show it, and as expressions see it."""
    found = masker.value({"code": error.code, "message": error.message})
    assert isinstance(found, dict)  # noqa: S101 - it was one
    if error.details is not None:
        found["details"] = _shortened(masker.value(error.details))
    return found


def short_input(value: JsonValue) -> JsonValue:
    """The input of an attempt that is tried again; a large one is recorded with the last attempt."""
    return value if is_light(value, LARGE) else None


def _shortened(details: JsonValue) -> JsonValue:
    """Details that people read, cut to what they can read: the output says more than an error may."""
    return details if is_light(details, LARGE) else _cut(details, DEEP)


def _cut(value: JsonValue, levels: int) -> JsonValue:
    match value:
        case str() if len(value) > LONG:
            return f"{value[:LONG]}… ({len(value) - LONG} characters more)"
        case dict() | list() if not levels:
            return "…"
        case dict():
            return _cut_mapping(value, levels)
        case list():
            rest = [f"… ({len(value) - MANY} more)"] if len(value) > MANY else []
            return [*[_cut(part, levels - 1) for part in value[:MANY]], *rest]
    return value


def _cut_mapping(value: Mapping[str, JsonValue], levels: int) -> JsonValue:
    few = list(value.items())[:MANY]
    rest = {"…": f"{len(value) - MANY} more"} if len(value) > MANY else {}
    return {**{name[:LONG]: _cut(part, levels - 1) for name, part in few}, **rest}
