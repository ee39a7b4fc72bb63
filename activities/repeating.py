"""A stage with `foreach`: the list that it is executed for, and what its items come to."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydantic import JsonValue

from activities.evaluation import VALUE_LIMIT
from activities.evaluator import Evaluator
from activities.scope import Ended, Sight
from activities.stages.kind import StageError
from activities.work import LOST
from cronny.store.item_tables import ItemState
from cronny.store.items import Result
from dsl.action import MOST_ITEMS, Stage
from dsl.references import references


@dataclass(frozen=True)
class Opened:
    """The items of a stage, found ahead of the due."""

    items: Sequence[JsonValue] | None  #: None when the stage's own condition says no.
    sight: Sight


async def open_items(evaluator: Evaluator, stage: Stage, sight: Sight) -> Opened:
    """The items; raises StageError if there is no such list."""
    if stage.disabled:
        return Opened(None, sight)
    is_decided = stage.when is not None and not asks_for_item(stage.when, stage.item_as)
    if is_decided and not await evaluator.holds(stage.when or "", sight.at("when")):
        return Opened(None, sight)
    found = await evaluator.render(stage.foreach, sight.at("when"))
    if not isinstance(found, list):
        what = f"foreach needs a list, and this is {_name(found)}"
        raise StageError("validation", what, retryable=False)
    if len(found) > MOST_ITEMS:
        what = f"foreach has {len(found)} items, {MOST_ITEMS} at most; give it a part of the list"
        raise StageError("validation", what, retryable=False)
    return Opened(found, sight)


@lru_cache(4096)
def asks_for_item(condition: str, item_as: str) -> bool:
    """Whether a condition of a stage is one of its items: it names the item, or its number."""
    return any(reference.root in (item_as, "index") for reference in references(condition))


def gather(stage: Stage, results: Sequence[Result]) -> Ended:
    """How a stage has ended whose items have: the results in order, or the first error."""
    failed = [result for result in results if _has_failed(result, stage)]
    if failed and stage.on_item_error == "fail":
        return Ended("failed", None, _error(failed, len(results)), 1)
    outputs: list[JsonValue] = [_value(result) for result in results]
    size = len(json.dumps(outputs, separators=(",", ":")))
    if size > VALUE_LIMIT:
        what = f"the results are larger than {VALUE_LIMIT >> 20} MB together; keep less of each with `output`"
        return Ended("failed", None, {"code": "validation", "message": what}, 1)
    return Ended("completed", outputs, None, 1)


def _has_failed(result: Result, stage: Stage) -> bool:
    return result.state is ItemState.FAILED or (
        result.state is ItemState.STARTED and stage.on_item_error == "fail"
    )


def _value(result: Result) -> JsonValue:
    if result.state in (ItemState.COMPLETED, ItemState.SKIPPED):
        return result.output
    return {"error": result.error if result.error is not None else dict(LOST)}


def _error(failed: Sequence[Result], total: int) -> JsonValue:
    first = failed[0]
    error = first.error if isinstance(first.error, dict) else LOST
    return {
        "code": error.get("code"),
        "message": f"item {first.item}: {error.get('message')}",
        "details": {"item": first.item, "failed": len(failed), "total": total},
    }


def _name(value: JsonValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case dict():
            return "a mapping"
        case str():
            return "a text"
    return "a number"
