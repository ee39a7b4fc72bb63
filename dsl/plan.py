"""What a trigger workflow interprets: ids, edges, joins and limits of time; never a payload or a secret.

A field that a plan does not have stands for what was done before there was that field: workflows under way
go on with the plans they were given.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from dsl.action import UNDO, Action, Stage, undo_of
from dsl.graph import Edge, EdgeEvent, beside, edges_of, every_edge_of
from dsl.kinds import Catalogue


class _Planned(BaseModel):
    model_config = ConfigDict(frozen=True)


class PlannedForeach(_Planned):
    """How a stage is executed for each item of a list."""

    at_once: int
    is_strict: bool  #: A failed item ends it.


class PlannedStage(_Planned):
    """A stage as the workflow sees it."""

    id: str
    is_pure: bool
    is_root: bool
    is_waiting: bool = False  #: It holds no slot while it waits.
    join: Literal["any", "all"] = "any"
    continue_on_error: bool = False
    timeout: timedelta  #: of one attempt
    foreach: PlannedForeach | None = None
    undo: "PlannedStage | None" = None  #: What undoes it.


class PlannedEdge(_Planned):
    """A connector as the workflow sees it."""

    index: int
    source: str
    target: str
    on: EdgeEvent


class Graph(_Planned):
    """Stages and the edges between them."""

    stages: tuple[PlannedStage, ...]
    edges: tuple[PlannedEdge, ...]


class Side(Graph):
    """What is executed for each failed attempt of a stage; the edges out of that stage are among its own."""

    source: str


class Plan(Graph):
    """The graph of one action version, and what is executed beside and behind it."""

    sides: tuple[Side, ...] = ()
    handlers: Mapping[str, Graph] = {}
    needs_outputs: bool = False  #: What follows depends on whether its outputs can be made.


def plan_action(action: Action, catalogue: Catalogue) -> Plan:
    """The plan of a checked action."""
    edges, every = edges_of(action), every_edge_of(action)
    targets = {edge.target for edge in edges}
    roots = frozenset(stage.id for stage in action.stages if stage.id not in targets)
    away = beside(edges)

    def stages(found: Iterable[Stage]) -> tuple[PlannedStage, ...]:
        return tuple(_stage(stage, stage.id in roots, catalogue) for stage in found)

    main = stages(stage for stage in action.stages if stage.id not in away)
    sides = [
        (source, stages(stage for stage in action.stages if stage.id in beside(edges, source)))
        for source in dict.fromkeys(edge.source for edge in edges if edge.on == "retry")
    ]
    handlers = {name: stages(found) for name, found in action.handlers.items() if found}
    is_followed = bool(handlers) or any(stage.undo is not None for stage in main)
    return Plan(
        stages=main,
        edges=_leading_to(main, edges),
        sides=tuple(
            Side(source=source, stages=found, edges=_leading_to(found, _seen_from(source, edges)))
            for source, found in sides
        ),
        handlers={
            name: Graph(stages=found, edges=_leading_to(found, every)) for name, found in handlers.items()
        },
        needs_outputs=is_followed and bool(action.outputs),
    )


def _seen_from(source: str, edges: Iterable[Edge]) -> list[Edge]:
    """The edges of a branch: a retry edge of another stage leads into another execution of it."""
    return [edge for edge in edges if edge.on != "retry" or edge.source == source]


def _leading_to(stages: Iterable[PlannedStage], edges: Iterable[Edge]) -> tuple[PlannedEdge, ...]:
    ids = {stage.id for stage in stages}
    return tuple(
        PlannedEdge(index=edge.index, source=edge.source, target=edge.target, on=edge.on)
        for edge in edges
        if edge.target in ids
    )


def _stage(stage: Stage, is_root: bool, catalogue: Catalogue) -> PlannedStage:
    return PlannedStage(
        id=stage.id,
        is_pure=catalogue[stage.uses].is_pure,
        is_root=is_root,
        is_waiting=catalogue[stage.uses].is_waiting,
        join=stage.join,
        continue_on_error=stage.continue_on_error,
        timeout=stage.timeout,
        foreach=_foreach(stage),
        undo=_undo(stage, catalogue),
    )


def _undo(stage: Stage, catalogue: Catalogue) -> PlannedStage | None:
    undo = undo_of(stage)
    return _stage(undo, False, catalogue) if undo is not None else None


def _foreach(stage: Stage) -> PlannedForeach | None:
    if stage.foreach is None:
        return None
    # What undoes items goes on after a failure, whatever that makes of it in the end.
    is_strict = stage.on_item_error == "fail" and not stage.id.endswith(UNDO)
    return PlannedForeach(at_once=stage.concurrency, is_strict=is_strict)
