"""The problems of files: a line each for people and editors, a list for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import typer
from pydantic import JsonValue

from cronny.cli.complaint import printable
from cronny.cli.exits import Exit
from cronny.cli.files import read, shown
from cronny.cli.terminal import print_json
from dsl.problems import Problem


@dataclass(frozen=True)
class Finding:
    """A problem and its file."""

    file: str
    problem: Problem

    def line(self) -> str:
        """`FILE:LINE:COLUMN: where: what; hint`."""
        return printable(self.problem.render(shown(self.file)))

    def json(self) -> JsonValue:
        """The same for programs."""
        return {"file": shown(self.file), **asdict(self.problem)}


def read_or_end(file: str) -> bytes:
    """What a file holds; ends the command, with the reason, if it cannot be read."""
    content = read(file)
    if isinstance(content, Problem):
        print_findings([Finding(file, content)], as_json=False)
        raise typer.Exit(Exit.FAILED)
    return content


def print_findings(findings: Sequence[Finding], as_json: bool) -> None:
    """Print them, with `as_json` as one list."""
    if as_json:
        print_json([finding.json() for finding in findings])
        return
    for finding in findings:
        typer.echo(finding.line())
