"""Which outgoing connectors fire when a stage has ended."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pydantic import JsonValue

from activities.evaluator import Evaluator
from activities.scope import Ended, Sight, View
from activities.stages.kind import StageError
from dsl.action import Stage
from dsl.graph import Edge
from workflows.messages import StageStatus

_EVENTS: Mapping[StageStatus, str] = {"completed": "success", "failed": "error", "skipped": "skipped"}


@dataclass(frozen=True)
class Judgement:
    """How a stage ended for good, and the connectors that fired out of it."""

    ended: Ended
    fired: tuple[int, ...]


async def judge(evaluator: Evaluator, sight: Sight, stage: Stage, ended: Ended) -> Judgement:
    """The connectors that fire.

    A condition that cannot be evaluated turns the stage into a failed one: nobody knows where to go on.
    """
    edges = [edge for edge in sight.loaded.edges.values() if edge.source == stage.id]
    if not edges:
        return Judgement(ended, ())
    try:
        return Judgement(ended, await _fired(evaluator, _heard(edges, stage, ended.status), sight, ended))
    except StageError as mistake:
        failed = replace(ended, status="failed", error=_described(mistake, ended))
        plain = [edge.index for edge in _heard(edges, stage, "failed") if _condition(edge) is None]
        return Judgement(failed, tuple(plain))


async def judge_retry(evaluator: Evaluator, sight: Sight, stage: Stage, failed: Ended) -> tuple[int, ...]:
    """The retry connectors that fire when an attempt has failed that is to be followed by another one.

    A condition that cannot be evaluated says no: the stage itself goes on.
    """
    edges = [edge for edge in sight.loaded.edges.values() if edge.source == stage.id and edge.on == "retry"]
    fired: list[int] = []
    for edge in edges:
        with suppress(StageError):
            fired += [edge.index] if await _holds(evaluator, edge, sight, failed) else []
    return tuple(fired)


def connector_view(sight: Sight, source: str, ended: Ended) -> View:
    """What the expressions of a connector see: what its source stage saw, and how that ended."""
    seen = sight.with_stage(source, ended)
    return seen.at("connector", output=ended.output, error=ended.error, attempt=ended.attempts)


async def _fired(evaluator: Evaluator, edges: Sequence[Edge], sight: Sight, ended: Ended) -> tuple[int, ...]:
    return tuple([edge.index for edge in edges if await _holds(evaluator, edge, sight, ended)])


async def _holds(evaluator: Evaluator, edge: Edge, sight: Sight, ended: Ended) -> bool:
    condition = _condition(edge)
    if condition is None:
        return True
    return await evaluator.holds(condition, connector_view(sight, edge.source, ended))


def _described(mistake: StageError, ended: Ended) -> JsonValue:
    described: dict[str, JsonValue] = {"code": mistake.code, "message": mistake.message}
    if ended.error is not None:
        described["details"] = {"error": ended.error}
    return described


def _condition(edge: Edge) -> str | None:
    return edge.connector.when if edge.connector is not None else None


def _heard(edges: Sequence[Edge], stage: Stage, status: StageStatus) -> list[Edge]:
    """The connectors that listen to this end of their stage."""
    events = {_EVENTS.get(status, "")}
    if status == "failed" and stage.continue_on_error:
        events = events | {"success"}
    return [edge for edge in edges if edge.on == "always" or edge.on in events]
