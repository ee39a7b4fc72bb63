"""Check the stages of an action against their kinds: `uses`, `connection` and `with`."""

from collections.abc import Mapping

from dsl.kinds import Catalogue, KindSpec
from dsl.problems import did_you_mean
from dsl.report import Report
from dsl.shapes import check_shape
from dsl.sketch import Sketch, StageSketch


def check_uses(
    sketch: Sketch, catalogue: Catalogue, connections: Mapping[str, str] | None, report: Report
) -> None:
    """Report unknown kinds, missing or wrong connections, and wrong `with` blocks."""
    for stage in (*sketch.every_stage, *sketch.undos):
        kind = catalogue.get(stage.uses)
        if kind is None:
            _refuse_kind(stage, catalogue, report)
            continue
        _check_connection(stage, kind, connections, report)
        values = stage.raw.get("with", {})
        if isinstance(values, dict):
            path = (*stage.path, "with")
            check_shape(kind.with_model, values, report, path, has_templates=True)


def _refuse_kind(stage: StageSketch, catalogue: Catalogue, report: Report) -> None:
    path = (*stage.path, "uses")
    if isinstance(stage.raw.get("uses"), str):
        hint = did_you_mean(stage.uses, catalogue) or f"the kinds are {', '.join(sorted(catalogue))}"
        report.add(path, f"no kind '{stage.uses[:60]}'", hint, "unknown_kind")


def _check_connection(
    stage: StageSketch, kind: KindSpec, connections: Mapping[str, str] | None, report: Report
) -> None:
    name, path = stage.raw.get("connection"), (*stage.path, "connection")
    if name is None:
        if kind.connection == "required":
            hint = f"name one of kind {kind.name}"
            report.add(stage.path, f"a {kind.name} stage needs a connection", hint, "connection")
        return
    if kind.connection == "none":
        report.add(path, f"a {kind.name} stage takes no connection", code="connection", at_key=True)
        return
    if connections is None or not isinstance(name, str) or not name or "${{" in name:
        return
    if name not in connections:
        fitting = [known for known, of_kind in connections.items() if of_kind == kind.name]
        hint = did_you_mean(name, fitting) or f"create it as a connection of kind {kind.name}"
        report.add(path, f"no connection '{name[:60]}'", hint, "connection")
    elif connections[name] != kind.name:
        what = f"connection '{name}' is of kind {connections[name]}, this stage needs {kind.name}"
        report.add(path, what, code="connection")
