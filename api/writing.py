"""An action's text as it is uploaded: checked, with the schedules written in it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from pydantic import JsonValue

from api.rules import NOT_OF_THE_RULE, calendar_problems
from cronny.errors import Invalid
from dsl.action import Action
from dsl.check import Checked, check_action, check_text
from dsl.document import Document, Path, read_document
from dsl.kinds import Catalogue
from dsl.outside import Outside
from dsl.problems import Problem
from dsl.report import Report
from dsl.schedule import Schedule

_checking = Lock()  # the environments of the expressions are shared, and the work is one core's anyway


@dataclass(frozen=True)
class WrittenSchedule:
    """A schedule written in an action's text, its rule as it was written, and where it stands."""

    name: str
    schedule: Schedule
    source: JsonValue
    path: Path


@dataclass(frozen=True)
class WrittenAction:
    """An action without problems, and its text."""

    text: str
    document: Document
    action: Action
    schedules: tuple[WrittenSchedule, ...]


@dataclass(frozen=True)
class Known:
    """What a text may name: kinds, and the tenant's connections by kind, calendars, variables and secrets."""

    kinds: Catalogue
    connections: Mapping[str, str]
    calendars: Collection[str]
    outside: Outside


def read_action(name: str, raw: bytes, known: Known) -> WrittenAction:
    """The action of a text, which must have that name; raises Invalid with every problem."""
    read = _read(raw, known, name)
    if not isinstance(read, WrittenAction):
        raise Invalid(read)
    return read


def find_problems(raw: bytes, known: Known) -> Sequence[Problem]:
    """Everything that is wrong with a text, whatever it is."""
    read = _read(raw, known, None)
    return () if isinstance(read, WrittenAction) else read


def rule_of(value: JsonValue) -> JsonValue:
    """What was given as a schedule without what is not its rule."""
    if not isinstance(value, dict):
        return value
    return {field: part for field, part in value.items() if field not in NOT_OF_THE_RULE}


def _read(raw: bytes, known: Known, name: str | None) -> WrittenAction | Sequence[Problem]:
    document, unread = read_document(raw)
    with _checking:
        if document is None or unread:
            return check_text(raw, known.kinds, known.connections, known.outside).problems
        checked = check_action(document, known.kinds, known.connections, known.outside)
    schedules = tuple(_written(checked))
    problems = [*checked.problems, *_name_problems(name, document)]
    for one in schedules:
        problems += calendar_problems(one.schedule, document, one.path, known.calendars)
    if checked.action is None or problems:
        return sorted(problems, key=lambda problem: (problem.line, problem.column))
    return WrittenAction(raw.decode("utf-8-sig"), document, checked.action, schedules)


def _written(checked: Checked) -> Iterator[WrittenSchedule]:
    if checked.action is None:
        return
    values: list[tuple[Path, JsonValue]] = [
        (("schedules", index), value) for index, value in enumerate(checked.action.schedules)
    ]
    if checked.action.schedule is not None:
        values.insert(0, (("schedule",), checked.action.schedule))
    for (name, schedule), (path, value) in zip(checked.schedules, values, strict=True):
        yield WrittenSchedule(name, schedule, rule_of(value), path)


def _name_problems(name: str | None, document: Document) -> list[Problem]:
    report = Report(document)
    written = document.value.get("name") if isinstance(document.value, dict) else None
    if name is not None and isinstance(written, str) and written != name:
        what = f"is '{written[:63]}', but the address names '{name}'"
        report.add(("name",), what, "they must be the same", "name")
    return report.problems
