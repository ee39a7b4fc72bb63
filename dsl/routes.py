"""Check how the stages of an action are joined."""

from itertools import pairwise

from dsl.document import Path, child_of
from dsl.graph import find_cycle
from dsl.problems import did_you_mean, known_hint
from dsl.report import Report
from dsl.sketch import ConnectorSketch, Sketch, StageSketch
from dsl.waiting import WAITING_KINDS


def check_routes(sketch: Sketch, report: Report) -> None:
    """Report stages of the same id, connectors to nowhere, and cycles."""
    _check_ids(sketch, report)
    for connector in sketch.connectors:
        _check_end(connector.source, (*connector.path, "from"), sketch, report)
        _check_end(connector.target, (*connector.path, "to"), sketch, report)
    _check_cycles(sketch, report)
    for connector in sketch.connectors:
        _check_branch(connector, sketch, report)


def _check_ids(sketch: Sketch, report: Report) -> None:
    seen: set[str] = set()
    for stage in sketch.every_stage:
        if stage.id and stage.id in seen:
            report.add((*stage.path, "id"), f"there is a stage '{stage.id[:64]}' already", code="duplicate")
        seen.add(stage.id)


def _check_end(stage: str, path: Path, sketch: Sketch, report: Report) -> None:
    if stage and stage not in sketch.ids and stage in sketch.every_id:
        what = f"stage '{stage}' is executed behind the graph"
        report.add(path, what, "connectors join stages of the graph", "unknown_stage")
    elif stage and stage not in sketch.ids:
        hint = did_you_mean(stage[:64], sketch.ids) or known_hint("stages", sketch.ids)
        report.add(path, f"there is no stage '{stage[:64]}'", hint, "unknown_stage")


def _check_branch(connector: ConnectorSketch, sketch: Sketch, report: Report) -> None:
    """What is executed for each failed attempt of a stage stands beside the graph."""
    source, target = connector.source, connector.target
    if connector.raw.get("on") != "retry":
        if target in sketch.beside and source not in sketch.beside:
            what = f"'{target}' is executed for each failed attempt of another stage"
            report.add((*connector.path, "to"), what, "lead to a stage of its own", "retry")
        return
    stage = next((stage for stage in sketch.stages if stage.id == source), None)
    place = (*connector.path, "from")
    if source in sketch.beside:
        report.add(place, f"'{source}' is such a branch itself", "only stages of the graph have one", "retry")
    elif stage is not None and "foreach" in stage.raw:
        report.add(place, f"'{source}' tries each item again, not itself", "leave it out", "retry")
    elif stage is not None and stage.uses in WAITING_KINDS:
        report.add(place, f"'{source}' waits", "its connectors are 'waiting' and 'reminder'", "retry")
    elif stage is not None and not _is_tried_again(stage, sketch):
        report.add(place, f"'{source}' is never tried again", "give it 'retry'", "retry")


def _is_tried_again(stage: StageSketch, sketch: Sketch) -> bool:
    retry = stage.raw.get("retry")
    if "retry" not in stage.raw:
        retry = child_of(sketch.raw.get("defaults"), "retry")
    return retry is not None and retry is not False and child_of(retry, "max_attempts") != 1


def _check_cycles(sketch: Sketch, report: Report) -> None:
    edges = list(sketch.edges)
    while cycle := find_cycle(edges):
        steps = set(pairwise(cycle))
        closing = max(edge.index for edge in edges if (edge.source, edge.target) in steps)
        what = f"the stages form a cycle: {' -> '.join(cycle)}"
        report.add(("connectors", closing), what, "remove one of these connectors", "cycle")
        edges = [edge for edge in edges if (edge.source, edge.target) not in steps]
