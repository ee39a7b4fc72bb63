"""The schedules of an action: read, named and checked against its inputs."""

from collections.abc import Iterator

from pydantic import JsonValue

from dsl.document import Path
from dsl.inputs import fill_inputs
from dsl.problems import Problem
from dsl.report import Report
from dsl.schedule import Schedule, read_schedule
from dsl.sketch import Sketch

LONGEST_NAME = 63  # characters of a schedule's name, which is part of workflow ids


def read_schedules(sketch: Sketch, report: Report) -> tuple[tuple[str, Schedule], ...]:
    """The schedules by name: the action's for `schedule`, `<action>-<id>` for each of `schedules`."""
    found = []
    for name, path, value in _written(sketch, report):
        if schedule := read_at(path, value, report):
            _check_values(schedule, path, value, sketch, report)
            found.append((name, schedule))
    return tuple(found)


def _written(sketch: Sketch, report: Report) -> Iterator[tuple[str, Path, JsonValue]]:
    action = sketch.raw.get("name")
    if sketch.raw.get("schedule") is not None:
        yield f"{action}", ("schedule",), sketch.raw["schedule"]
    several = sketch.raw.get("schedules")
    seen: set[str] = set()
    for index, value in enumerate(several if isinstance(several, list) else ()):
        path = ("schedules", index)
        if not isinstance(value, dict):
            continue
        name = value.get("id")
        if name is None:
            report.add(path, "'id' is required", "it names the schedule", "required")
        elif isinstance(name, str) and name in seen:
            report.add((*path, "id"), f"there is a schedule '{name[:60]}' already", code="duplicate")
        seen.add(str(name))
        if len(f"{action}-{name}") > LONGEST_NAME:
            what = f"the schedule would be called '{action}-{name}', longer than {LONGEST_NAME} characters"
            report.add((*path, "id"), what, "shorten the id", "name")
        yield f"{action}-{name}", path, value


def read_at(path: Path, value: JsonValue, report: Report) -> Schedule | None:
    """The schedule that stands at a place of a document; every problem goes into the report."""
    schedule, problems = read_schedule(value)
    for problem in problems:
        _place(problem, path, value, report)
    return schedule


def _place(problem: Problem, path: Path, value: JsonValue, report: Report) -> None:
    what, hint, code = problem.what, problem.hint, problem.code
    if not isinstance(value, dict):
        report.add_inside(path, problem.column - 1, what, hint, code)
        return
    parts = problem.where.split(".")
    where = (*path, *(int(part) if part.isdecimal() else part for part in parts))
    field = value.get(parts[0])
    if isinstance(field, str) and len(parts) == 1 and problem.column > 1:
        report.add_inside(where, problem.column - 1, what, hint, code)
    else:
        is_unknown = parts[0] in value and code == "unknown_field"
        report.add(where if parts[0] in value else path, what, hint, code, at_key=is_unknown)


def _check_values(schedule: Schedule, path: Path, value: JsonValue, sketch: Sketch, report: Report) -> None:
    """A schedule must give the inputs that its triggers cannot do without."""
    for problem in fill_inputs(sketch.inputs, schedule.inputs)[1]:
        where = (*path, *problem.where.split(".", 1))
        given = problem.where.split(".", 1)[1] in schedule.inputs
        if given:
            report.add(where, problem.what, problem.hint, problem.code)
        else:
            hint = "give it in the schedule's `inputs`, or give it a default"
            report.add(path, f"{problem.where} {problem.what}", hint, problem.code)
