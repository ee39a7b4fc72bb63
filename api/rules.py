"""Rules as they are sent, refused when they cannot be read or never fire."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from pydantic import JsonValue

from activities.rules import RuleCache
from cronny.errors import Invalid
from cronny.names import instant_text
from cronny.scheduling import DateSet, compile_schedule, never_fires
from cronny.store.tenant_store import TenantStore
from dsl.document import Document, Path, child_of
from dsl.problems import Problem, did_you_mean, known_hint
from dsl.report import Report
from dsl.schedule import Schedule, read_schedule

NOT_OF_THE_RULE = ("id", "inputs", "paused")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_rule(document: Document, path: Path, value: JsonValue) -> Schedule:
    """The schedule that stands at a place of a document; raises Invalid with every problem."""
    schedule, problems = read_schedule(value)
    if schedule is None:
        raise Invalid([_placed(problem, document, path, value) for problem in problems])
    return schedule


async def hold_calendars(
    store: TenantStore, rules: RuleCache, schedule: Schedule, document: Document, path: Path
) -> Mapping[str, DateSet]:
    """The calendars that a rule names; until the commit they stay as they are. Raises Invalid."""
    held = await store.calendars.hold(schedule.calendar_names)
    known = {mark.name for mark in held}
    if not known.issuperset(schedule.calendar_names):
        raise Invalid(calendar_problems(schedule, document, path, await store.calendars.names()))
    return rules.dates(held)


def calendar_problems(
    schedule: Schedule, document: Document, path: Path, known: Collection[str]
) -> list[Problem]:
    """The calendars that a rule names and that are not known, where it names them."""
    report = Report(document)
    for name in schedule.calendar_names:
        if name not in known:
            place, offset = _find_word(name, _value_at(document, path), path) or (path, 0)
            hint = did_you_mean(name, known) or known_hint("calendars", known) or "set it first"
            report.add_inside(place, offset, f"there is no calendar '{name}'", hint, "unknown_calendar")
    return report.problems


def idle_problem(
    schedule: Schedule, calendars: Mapping[str, DateSet], document: Document, path: Path, now: datetime
) -> Problem | None:
    """What is wrong with a rule, saved now, that will never fire."""
    compiled = compile_schedule(schedule, now, calendars)
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
        more = ", exclusions and calendars" if schedule.exclude or calendars else ""
        hint = f"no instant from now on fits its days, times, start and end{more}"
        report.add(path, "never fires", hint, "never_fires")
    return report.problems[0]


def _value_at(document: Document, path: Path) -> JsonValue:
    value = document.value
    for step in path:
        value = child_of(value, step)
    return value


def _find_word(word: str, value: JsonValue, path: Path) -> tuple[Path, int] | None:
    """Where a text below a value first has a word."""
    if isinstance(value, str):
        found = re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", value, re.IGNORECASE)
        return (path, found.start()) if found else None
    steps: Iterable[tuple[str | int, JsonValue]] = ()
    if isinstance(value, dict):
        # A word of an input or of an id is no calendar.
        steps = [(key, part) for key, part in value.items() if key not in NOT_OF_THE_RULE]
    elif isinstance(value, list):
        steps = enumerate(value)
    places = (_find_word(word, part, (*path, step)) for step, part in steps)
    return next((place for place in places if place), None)


def _placed(problem: Problem, document: Document, path: Path, value: JsonValue) -> Problem:
    if not isinstance(value, dict):
        line, column = document.at_offset(path, problem.column - 1)
        return Problem(document.where(path), problem.what, problem.hint, problem.code, line, column)
    field = (*path, *(int(part) if part.isdecimal() else part for part in problem.where.split(".")))
    line, column = document.at_offset(field, problem.column - 1)
    return Problem(document.where(field), problem.what, problem.hint, problem.code, line, column)
