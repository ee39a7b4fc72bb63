"""The graph of an action: its edges, its cycles, and what lies upstream of a stage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Literal

from dsl.action import Action, Connector

EdgeEvent = Literal["success", "error", "always", "skipped", "retry", "waiting", "reminder"]


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


def every_edge_of(action: Action) -> tuple[Edge, ...]:
    """The edges of the graph, and behind them those from each handler to the next."""
    edges = edges_of(action)
    for stages in action.handlers.values():
        edges += linear_edges([stage.id for stage in stages], len(edges))
    return edges


def linear_edges(ids: Iterable[str], first: int = 0) -> tuple[Edge, ...]:
    """A success edge from each stage to the next; their indexes begin with `first`."""
    return tuple(Edge(index, source, target) for index, (source, target) in enumerate(pairwise(ids), first))


def beside(edges: Iterable[Edge], source: str = "") -> frozenset[str]:
    """The stages in branches that are executed for each failed attempt, of one source or of any."""
    known = list(edges)
    found = {edge.target for edge in known if edge.on == "retry" and edge.source == (source or edge.source)}
    while more := {edge.target for edge in known if edge.source in found and edge.on != "retry"} - found:
        found |= more
    return frozenset(found)


def downstream_of(stages: Iterable[str], edges: Iterable[Edge]) -> frozenset[str]:
    """These stages and all to which connectors lead from them."""
    known, found = list(edges), frozenset(stages)
    while more := {edge.target for edge in known if edge.source in found} - found:
        found |= more
    return found


def ways_of(edges: Iterable[Edge]) -> list[Edge]:
    """The edges whose source has ended when their target begins.

    A stage that is tried again has not ended: what is executed for a failed attempt comes after what the
    stage itself came after.
    """
    known = list(edges)
    ways = [edge for edge in known if edge.on != "retry"]
    for retry in (edge for edge in known if edge.on == "retry"):
        before = [edge for edge in known if edge.target == retry.source and edge.on != "retry"]
        ways += [replace(edge, target=retry.target) for edge in before]
    return ways


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
