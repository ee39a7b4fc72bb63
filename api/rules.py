"""Rules as they are sent, refused when they cannot be read or never fire."""

from datetime import UTC, datetime

from pydantic import JsonValue

from cronny.errors import Invalid
from cronny.names import instant_text
from cronny.scheduling import compile_schedule, never_fires
from dsl.document import Document, Path
from dsl.problems import Problem
from dsl.report import Report
from dsl.schedule import Schedule, read_schedule

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_rule(document: Document, path: Path, value: JsonValue) -> Schedule:
    """The schedule that stands at a place of a document; raises Invalid with every problem."""
    schedule, problems = read_schedule(value)
    if schedule is None:
        raise Invalid([_placed(problem, document, path, value) for problem in problems])
    return schedule


def idle_problem(schedule: Schedule, document: Document, path: Path, now: datetime) -> Problem | None:
    """What is wrong with a rule, saved now, that will never fire."""
    compiled = compile_schedule(schedule, now)
    if not never_fires(compiled, now):
        return None
    report = Report(document)
    if schedule.kind == "once" and not never_fires(compiled, EPOCH):
        date = (*path, "at")
        report.add(
            date if date in document.places else path,
            "lies in the past",
            f"it is {instant_text(now)} now",
            "past",
        )
    else:
        hint = "no instant from now on fits its days, times, start and end"
        report.add(path, "never fires", hint, "never_fires")
    return report.problems[0]


def _placed(problem: Problem, document: Document, path: Path, value: JsonValue) -> Problem:
    if not isinstance(value, dict):
        line, column = document.at_offset(path, problem.column - 1)
        return Problem(document.where(path), problem.what, problem.hint, problem.code, line, column)
    field = (*path, *(int(part) if part.isdecimal() else part for part in problem.where.split(".")))
    line, column = document.at_offset(field, problem.column - 1)
    return Problem(document.where(field), problem.what, problem.hint, problem.code, line, column)
