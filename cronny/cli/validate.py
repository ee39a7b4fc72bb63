"""`cronny validate`: check actions without a server."""

from typing import Annotated

import typer

from activities.stages.catalogue import KINDS
from cronny.cli.exits import Exit
from cronny.cli.files import expand, read
from cronny.cli.findings import Finding, print_findings
from cronny.cli.terminal import AsJson
from dsl.check import check_text
from dsl.problems import Problem

app = typer.Typer(add_completion=False)


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(help="YAML files or folders of them; - is standard input.")],
    as_json: AsJson = False,
) -> None:
    """Check actions without a server: every problem at its place.

    Whether connections exist is left to the server.
    """
    findings = [Finding(file, problem) for file in expand(files) for problem in _problems(file)]
    print_findings(findings, as_json)
    if findings:
        raise typer.Exit(Exit.FAILED)


def _problems(file: str) -> tuple[Problem, ...]:
    text = read(file)
    if isinstance(text, Problem):
        return (text,)
    return check_text(text, KINDS, None).problems
