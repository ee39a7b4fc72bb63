"""Which outgoing connectors fire when a stage has ended."""

from pydantic import JsonValue

from activities.action_cache import LoadedAction
from activities.evaluator import Evaluator
from activities.scope import Variables, connector_scope, with_stage
from activities.stages.kind import StageError
from dsl.action import Stage
from dsl.graph import Edge
from workflows.messages import StageStatus


async def judge(
    evaluator: Evaluator, loaded: LoadedAction, stage: Stage, status: StageStatus, output: JsonValue,
    error: JsonValue, attempt: int, variables: Variables,
) -> tuple[StageStatus, tuple[int, ...], JsonValue]:  # fmt: skip
    """The stage's final status, the connectors that fired, and its error.

    A connector whose condition cannot be evaluated turns the stage into a failed one: nobody knows where to go on.
    """
    result = {"status": status, "output": output, "error": error, "attempts": attempt}
    scope = connector_scope(with_stage(variables, stage.id, result), output, error, attempt)
    edges = [edge for edge in loaded.edges.values() if edge.source == stage.id]
    try:
        fired = await _fired(evaluator, edges, stage, status, scope)
    except StageError as mistake:
        error = {"code": mistake.code, "message": mistake.message}
        unconditional = tuple(edge.index for edge in edges if edge.when is None and _hears(edge, stage, "failed"))
        return "failed", unconditional, error
    return status, fired, error


async def _fired(
    evaluator: Evaluator, edges: list[Edge], stage: Stage, status: StageStatus, scope: Variables
) -> tuple[int, ...]:
    heard = [edge for edge in edges if _hears(edge, stage, status)]
    return tuple(
        [edge.index for edge in heard if edge.when is None or await evaluator.holds(edge.when, scope)]
    )


def _hears(edge: Edge, stage: Stage, status: StageStatus) -> bool:
    events = {"completed": ["success"], "failed": ["error"], "skipped": ["skipped"]}[status]
    if status == "failed" and stage.continue_on_error:
        events = [*events, "success"]
    return edge.on == "always" or edge.on in events
