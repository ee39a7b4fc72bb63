"""Check an action: everything that is wrong with it, each problem at its place."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from pydantic import JsonValue

from dsl.action import SIZES, Action
from dsl.document import Document, read_document
from dsl.expressions import check_expressions
from dsl.foreach import check_foreach, check_undo
from dsl.inputs import declaration_problems
from dsl.kinds import Catalogue
from dsl.outside import Outside
from dsl.problems import Problem
from dsl.report import MAX_FOUND, EnoughError, Report
from dsl.routes import check_routes
from dsl.schedule import Schedule
from dsl.schedules import read_schedules
from dsl.shapes import check_shape
from dsl.sketch import Sketch, sketch_of
from dsl.uses import check_uses
from dsl.waits import check_waits

MAX_PROBLEMS = 200  # more help nobody

Schedules = tuple[tuple[str, Schedule], ...]


@dataclass(frozen=True)
class Checked:
    """An action and its schedules by name, or no action and the problems."""

    action: Action | None
    problems: tuple[Problem, ...]
    schedules: Schedules = ()


def check_text(
    text: str | bytes,
    catalogue: Catalogue,
    connections: Mapping[str, str] | None,
    outside: Outside | None = None,
) -> Checked:
    """As `check_action`, for a text, with the problems of reading it."""
    document, problems = read_document(text)
    if document is None:
        return Checked(None, tuple(problems))
    checked = check_action(document, catalogue, connections, outside)
    if not problems:
        return checked
    # What could not be read stands as null, which is no problem of its own.
    unread = {(problem.line, problem.column) for problem in problems}
    rest = [problem for problem in checked.problems if (problem.line, problem.column) not in unread]
    return Checked(None, _ordered([*problems, *rest]))


def check_action(
    document: Document,
    catalogue: Catalogue,
    connections: Mapping[str, str] | None,
    outside: Outside | None = None,
) -> Checked:
    """The action of a document.

    `connections` gives kinds by name, `outside` the variables and secrets; None leaves either unchecked.
    """
    report = Report(document)
    if not isinstance(document.value, dict):
        report.add((), "must be a mapping with name and stages")
        return Checked(None, tuple(report.problems))
    action: Action | None = None
    schedules: Schedules = ()
    with suppress(EnoughError):
        action, schedules = _checked(document.value, catalogue, connections, outside, report)
    if action is None or report.found:
        return Checked(None, _ordered(report.problems))
    return Checked(action, (), schedules)


def _checked(
    value: dict[str, JsonValue],
    catalogue: Catalogue,
    connections: Mapping[str, str] | None,
    outside: Outside | None,
    report: Report,
) -> tuple[Action | None, Schedules]:
    action = check_shape(Action, value, report)
    if _is_oversized(value):  # The other checks take time in proportion to its square.
        return None, ()
    sketch = sketch_of(value)
    _check_inputs(sketch, report)
    check_routes(sketch, report)
    check_uses(sketch, catalogue, connections, report)
    check_foreach(sketch, report)
    check_undo(sketch, catalogue, report)
    check_waits(sketch, report)
    check_expressions(sketch, outside, report)
    return action, read_schedules(sketch, report)


def _is_oversized(raw: Mapping[str, JsonValue]) -> bool:
    return any(
        isinstance(value := raw.get(name), list | dict) and len(value) > limit
        for name, limit in SIZES.items()
    )


def _check_inputs(sketch: Sketch, report: Report) -> None:
    for name, given in sketch.inputs.items():
        for field, wrong in declaration_problems(given):
            report.add(("inputs", name, *field.split(".")), wrong, code="type")


def _ordered(problems: list[Problem]) -> tuple[Problem, ...]:
    first = sorted(problems, key=lambda problem: (problem.line, problem.column))[:MAX_PROBLEMS]
    if len(problems) > MAX_PROBLEMS:
        count = len(problems) - MAX_PROBLEMS
        rest = "and many more problems" if len(problems) >= MAX_FOUND else f"and {count} more problems"
        first.append(replace(first[-1], where="document", what=rest, hint="", code="more"))
    return tuple(first)
