"""Check what is repeated and what is taken back: `foreach` and `undo`."""

from collections.abc import Mapping

from pydantic import JsonValue

from dsl.action import MOST_ITEMS
from dsl.document import Path
from dsl.kinds import Catalogue
from dsl.report import Report
from dsl.sketch import Sketch, StageSketch
from dsl.templates import TemplateError, is_template, whole_expression

OPTIONS = ("item_as", "concurrency", "on_item_error")
_LIST = "such as ${{ stages.fetch.output.body.orders }}, or [eu, us]"


def check_foreach(sketch: Sketch, report: Report) -> None:
    """Report lists that cannot be one, and what is said of items where there are none."""
    for stage in sketch.every_stage:
        if "foreach" in stage.raw:
            _check_list(stage.raw["foreach"], (*stage.path, "foreach"), report)
            continue
        for name in OPTIONS:
            if name in stage.raw:
                hint = "it belongs to a stage with 'foreach'"
                report.add((*stage.path, name), "there are no items here", hint, at_key=True)


def check_undo(sketch: Sketch, catalogue: Catalogue, report: Report) -> None:
    """Report what cannot be undone, or not by this."""
    for stage in sketch.every_stage:
        if "undo" in stage.raw and (refusal := _not_undone(stage, sketch, catalogue)):
            report.add((*stage.path, "undo"), *refusal, code="undo", at_key=True)
    for undo in sketch.undos:
        if _is_pure(undo.uses, catalogue):
            what = f"a {undo.uses} stage has no effect, so that it undoes nothing"
            report.add((*undo.path, "uses"), what, "use the kind that had the effect", "undo")


def _not_undone(stage: StageSketch, sketch: Sketch, catalogue: Catalogue) -> tuple[str, str] | None:
    if _is_pure(stage.uses, catalogue):
        return f"a {stage.uses} stage has no effect: there is nothing to undo", "leave it out"
    if stage not in sketch.stages or stage.id in sketch.beside:
        return "only stages of the graph are undone", "leave it out"
    return None


def _is_pure(kind: str, catalogue: Catalogue) -> bool:
    known: Mapping[str, object] = catalogue
    return kind in known and catalogue[kind].is_pure


def _check_list(value: JsonValue, path: Path, report: Report) -> None:
    if value is None:
        report.add(path, "must be a list, but there is nothing", _LIST)
    elif isinstance(value, list) and len(value) > MOST_ITEMS:
        report.add(path, f"must have at most {MOST_ITEMS} items")
    elif isinstance(value, str) and not _is_expression(value):
        report.add(path, "must be a list, or one expression that gives a list", _LIST)


def _is_expression(text: str) -> bool:
    try:
        return is_template(text) and whole_expression(text) is not None
    except TemplateError:
        return True  # which is told as such
