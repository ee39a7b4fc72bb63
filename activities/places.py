"""The place that a trigger takes among those of its action that may execute at once."""

from pydantic import JsonValue

from activities.evaluator import Evaluator
from activities.scope import Sight
from activities.stages.kind import StageError
from cronny.scheduling.places import OnLimit
from cronny.store.claims import Place
from cronny.store.columns import storable
from dsl.action import Concurrency

LONGEST_KEY = 255  # characters


async def place_of(evaluator: Evaluator, concurrency: Concurrency, sight: Sight) -> Place:
    """What the claim counts the trigger with, found before its due; raises StageError for the key."""
    key = "" if concurrency.key is None else _text(await _value(evaluator, concurrency.key, sight))
    return Place(concurrency.limit, key, OnLimit(concurrency.on_limit))


async def _value(evaluator: Evaluator, key: str, sight: Sight) -> JsonValue:
    try:
        return await evaluator.render(key, sight.at("concurrency"))
    except StageError as error:
        raise StageError(error.code, f"concurrency.key: {error.message}", retryable=False) from error


def _text(value: JsonValue) -> str:
    match value:
        case str():
            text = storable(value)
        case bool():
            text = str(value).lower()
        case int() | float():
            text = str(value)
        case _:
            what = "nothing" if value is None else "a list" if isinstance(value, list) else "a mapping"
            raise StageError("validation", f"concurrency.key: must give a text, not {what}", retryable=False)
    if len(text) > LONGEST_KEY:
        what = f"concurrency.key: must give {LONGEST_KEY} characters at the most, not {len(text)}"
        raise StageError("validation", what, retryable=False)
    return text
