"""Check how the stages of an action are joined."""

from itertools import pairwise

from dsl.document import Path
from dsl.graph import find_cycle
from dsl.problems import did_you_mean
from dsl.report import Report
from dsl.sketch import Sketch


def check_routes(sketch: Sketch, report: Report) -> None:
    """Report stages of the same id, connectors to nowhere, and cycles."""
    _check_ids(sketch, report)
    for connector in sketch.connectors:
        _check_end(connector.source, (*connector.path, "from"), sketch, report)
        _check_end(connector.target, (*connector.path, "to"), sketch, report)
    _check_cycle(sketch, report)


def _check_ids(sketch: Sketch, report: Report) -> None:
    seen: set[str] = set()
    for stage in sketch.stages:
        if stage.id and stage.id in seen:
            report.add((*stage.path, "id"), f"there is a stage '{stage.id}' already", code="duplicate")
        seen.add(stage.id)


def _check_end(stage: str, path: Path, sketch: Sketch, report: Report) -> None:
    if stage and stage not in sketch.ids:
        report.add(path, f"no stage '{stage}'", did_you_mean(stage, sketch.ids), "unknown_stage")


def _check_cycle(sketch: Sketch, report: Report) -> None:
    cycle = find_cycle(sketch.edges)
    if not cycle:
        return
    steps = set(pairwise(cycle))
    closing = max(edge.index for edge in sketch.edges if (edge.source, edge.target) in steps)
    report.add(("connectors", closing), f"the stages form a cycle: {' -> '.join(cycle)}", code="cycle")
