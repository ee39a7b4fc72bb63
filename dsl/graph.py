"""The graph of an action: its edges, its cycles, and what lies upstream of a stage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Literal

from dsl.action import Action, Connector

EdgeEvent = Literal["success", "error", "always", "skipped", "waiting", "reminder"]


@dataclass(frozen=True)
class Edge:
    """A way from one stage to another; `connector` is None in the linear form."""

    index: int
    source: str
    target: str
    on: EdgeEvent = "success"
    connector: Connector | None = None


def edges_of(action: Action) -> tuple[Edge, ...]:
    """The edges as the connectors list them, or from each stage to the next if there are no `connectors`."""
    if action.connectors is None:
        return linear_edges([stage.id for stage in action.stages])
    return tuple(
        Edge(index, connector.from_, connector.to, connector.on, connector)
        for index, connector in enumerate(action.connectors)
    )


def linear_edges(ids: Iterable[str]) -> tuple[Edge, ...]:
    """A success edge from each stage to the next."""
    return tuple(Edge(index, source, target) for index, (source, target) in enumerate(pairwise(ids)))


def find_cycle(edges: Iterable[Edge]) -> tuple[str, ...]:
    """The stages of one cycle, the first one repeated at the end; nothing if there is none."""
    try:
        TopologicalSorter(_sources(edges)).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def upstream_of(ids: Sequence[str], edges: Iterable[Edge]) -> Mapping[str, frozenset[str]]:
    """The stages from which each stage can be reached, itself left out unless it is on a cycle."""
    sources = _sources(edges)
    return {stage: _reached(stage, sources) for stage in ids}


def _sources(edges: Iterable[Edge]) -> dict[str, set[str]]:
    sources: dict[str, set[str]] = {}
    for edge in edges:
        sources.setdefault(edge.target, set()).add(edge.source)
    return sources


def _reached(stage: str, sources: Mapping[str, set[str]]) -> frozenset[str]:
    seen: set[str] = set()
    waiting = set(sources.get(stage, ()))
    while waiting:
        seen |= waiting
        waiting = set().union(*(sources.get(name, ()) for name in waiting)) - seen
    return frozenset(seen)
