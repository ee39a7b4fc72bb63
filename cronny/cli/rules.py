"""Rules as a command is given them: a phrase, or a file with one or several of them."""

from collections.abc import Iterator
from pathlib import Path

import typer
from pydantic import JsonValue

from cronny.cli.exits import Exit
from cronny.cli.files import STDIN, read
from cronny.cli.findings import Finding, print_findings
from cronny.cli.phrases import phrase_in
from dsl.document import Document, read_document
from dsl.document import Path as Place
from dsl.problems import Problem
from dsl.report import Report
from dsl.schedules import read_at


def given_rules(given: str, timezone: str | None) -> list[tuple[str, JsonValue]]:
    """The rules of an argument with their names, as they are sent; ends the command if one is wrong."""
    if given != STDIN and not Path(given).is_file():
        return [("", phrase_in(given, timezone))]
    if timezone:
        raise typer.BadParameter("--timezone: is for a phrase; in a file, write it into the rule")
    return _rules_of(given)


def _rules_of(file: str) -> list[tuple[str, JsonValue]]:
    content = read(file)
    if isinstance(content, Problem):
        raise _refuse(file, [content])
    document, problems = read_document(content)
    if document is None or problems:
        raise _refuse(file, problems)
    report = Report(document)
    found = list(_written(document))
    for _, path, value in found:
        read_at(path, value, report)
    if not found:
        report.add((), "has no schedule", "give it `schedule:` or `schedules:`")
    if report.problems:
        raise _refuse(file, report.problems)
    return [(name, value) for name, _, value in found]


def _written(document: Document) -> Iterator[tuple[str, Place, JsonValue]]:
    """The rules of an action, of the body of a schedule, or of a file that is a rule itself."""
    match document.value:
        case {"every": _} | {"at": _} | {"cron": _} | {"rules": _} | str():
            yield "", (), document.value
        case dict() as written:
            if (only := written.get("schedule")) is not None:
                yield "", ("schedule",), only
            several = written.get("schedules")
            for index, value in enumerate(several if isinstance(several, list) else ()):
                name = value.get("id") if isinstance(value, dict) else None
                yield str(name or index), ("schedules", index), value


def _refuse(file: str, problems: list[Problem]) -> typer.Exit:
    print_findings([Finding(file, problem) for problem in problems], as_json=False)
    return typer.Exit(Exit.FAILED)
