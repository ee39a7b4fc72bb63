"""Check how the stages of an action are joined."""

from itertools import pairwise

from dsl.document import Path
from dsl.graph import find_cycle
from dsl.problems import did_you_mean, known_hint
from dsl.report import Report
from dsl.sketch import Sketch


def check_routes(sketch: Sketch, report: Report) -> None:
    """Report stages of the same id, connectors to nowhere, and cycles."""
    _check_ids(sketch, report)
    for connector in sketch.connectors:
        _check_end(connector.source, (*connector.path, "from"), sketch, report)
        _check_end(connector.target, (*connector.path, "to"), sketch, report)
    _check_cycles(sketch, report)


def _check_ids(sketch: Sketch, report: Report) -> None:
    seen: set[str] = set()
    for stage in sketch.stages:
        if stage.id and stage.id in seen:
            report.add((*stage.path, "id"), f"there is a stage '{stage.id[:64]}' already", code="duplicate")
        seen.add(stage.id)


def _check_end(stage: str, path: Path, sketch: Sketch, report: Report) -> None:
    if stage and stage not in sketch.ids:
        hint = did_you_mean(stage[:64], sketch.ids) or known_hint("stages", sketch.ids)
        report.add(path, f"there is no stage '{stage[:64]}'", hint, "unknown_stage")


def _check_cycles(sketch: Sketch, report: Report) -> None:
    edges = list(sketch.edges)
    while cycle := find_cycle(edges):
        steps = set(pairwise(cycle))
        closing = max(edge.index for edge in edges if (edge.source, edge.target) in steps)
        what = f"the stages form a cycle: {' -> '.join(cycle)}"
        report.add(("connectors", closing), what, "remove one of these connectors", "cycle")
        edges = [edge for edge in edges if (edge.source, edge.target) not in steps]
