"""Which stages' results a stage needs: those that its expressions name, and those it is reached from."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from dsl.action import UNDO, Action, Stage
from dsl.graph import Edge, every_edge_of
from dsl.references import stages_used
from dsl.templates import expressions_in


def stages_needed(action: Action) -> Mapping[str, frozenset[str]]:
    """For each stage of a checked action the ids of those whose records it reads, itself among them."""
    edges = every_edge_of(action)
    return {stage.id: _needed(stage, edges) for stage in action.all_stages.values()}


def stages_in(value: JsonValue) -> frozenset[str]:
    """The ids of the stages that the expressions in a value name."""
    return stages_used(text for _, text, _ in expressions_in(value))


def _needed(stage: Stage, edges: tuple[Edge, ...]) -> frozenset[str]:
    sources = {edge.source for edge in edges if edge.target == stage.id}
    undone = {stage.id.removesuffix(UNDO)}
    return frozenset({stage.id}) | sources | undone | stages_used(_expressions(stage, edges))


def _expressions(stage: Stage, edges: tuple[Edge, ...]) -> Iterator[str]:
    for value in (stage.with_, stage.output, stage.foreach):
        yield from (text for _, text, _ in expressions_in(value))
    conditions = [stage.when, stage.retry.unless if stage.retry is not None else None]
    for edge in edges:
        if edge.connector is None:
            continue
        if edge.target == stage.id:
            yield from (text for _, text, _ in expressions_in(edge.connector.map))
        if edge.source == stage.id:
            conditions.append(edge.connector.when)
    yield from filter(None, conditions)
