"""`cronny apply`: upload actions; one that is wrong keeps none of the others back."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import typer
from pydantic import JsonValue

from cronny.cli.client import Client, Key, Refused, Url, open_client
from cronny.cli.complaint import complain
from cronny.cli.exits import Exit
from cronny.cli.files import expand, read, shown
from cronny.cli.findings import Finding, print_findings
from cronny.cli.plans import change_rows, print_differences, print_schedule_changes
from cronny.cli.pruning import Label, labels_of, prune, read_label
from cronny.cli.terminal import AsJson, print_json, print_table
from cronny.names import is_name
from dsl.document import Document, read_document
from dsl.problems import Problem

app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Upload:
    """What came of one file: what the API did, or the problems."""

    file: str
    applied: Any = None
    problems: tuple[Problem, ...] = ()


@app.command()
def apply(
    files: Annotated[
        list[str], typer.Option("--file", "-f", help="A YAML file or a folder of them; - is standard input.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change, fires included.")
    ] = False,
    prune_label: Annotated[
        str | None,
        typer.Option(
            "--prune",
            metavar="LABEL=VALUE",
            help="Delete the actions with this label that no file has any more, and their own schedules.",
        ),
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Upload actions from YAML files and folders.

    With --prune these are all the actions of a label that there are to be.
    """
    label = read_label(prune_label) if prune_label is not None else None
    client, found = open_client(url, key), expand(files)
    if not found:
        complain(f"no YAML files in {', '.join(files)}")
        raise typer.Exit(Exit.FAILED)
    taken: dict[str, str] = {}
    uploads = [_upload(client, file, Order(taken, dry_run, label)) for file in found]
    # A file that is wrong may be the one of an action that would then be missing.
    if label is not None and not any(upload.problems for upload in uploads):
        uploads += [
            Upload(f"--prune {label.text}", *one) for one in prune(client, label, set(taken), dry_run)
        ]
    findings = [Finding(upload.file, problem) for upload in uploads for problem in upload.problems]
    if as_json:
        done: list[JsonValue] = [
            {"file": shown(upload.file), **upload.applied} for upload in uploads if upload.applied
        ]
        print_json({"applied": done, "problems": [finding.json() for finding in findings]})
    else:
        _print_applied(uploads, dry_run)
        print_findings(findings, as_json=False)
    if findings:
        raise typer.Exit(Exit.FAILED)


@dataclass(frozen=True)
class Order:
    """How the files are uploaded."""

    taken: dict[str, str]  #: The names that the files before have, each with its file.
    is_dry: bool
    label: Label | None  #: Which every action must have.


def _upload(client: Client, file: str, order: Order) -> Upload:
    """Upload one file."""
    content = read(file)
    if isinstance(content, Problem):
        return Upload(file, problems=(content,))
    document, problems = read_document(content)
    name = document.value.get("name") if document and isinstance(document.value, dict) else None
    if document is None or problems:
        return Upload(file, problems=tuple(problems))
    if not isinstance(name, str) or not is_name(name):
        # It has no place to go to, and the server knows everything that is wrong with it.
        return Upload(file, problems=_checked(client, content))
    wrong = _out_of_order(document, name, order)
    if wrong is not None:
        return Upload(file, problems=(wrong,))
    order.taken[name] = file
    dry_run = "true" if order.is_dry else None
    try:
        return Upload(file, client.put("actions", name, content=content, dry_run=dry_run))
    except Refused as error:
        return Upload(file, problems=_problems(error))


def _out_of_order(document: Document, name: str, order: Order) -> Problem | None:
    if name in order.taken:
        line, column = document.at(("name",))
        what = f"{shown(order.taken[name])} is '{name}' too"
        return Problem("name", what, "rename one of them", "duplicate", line, column)
    if order.label is not None and not order.label.is_among(labels_of(document.value)):
        line, column = document.at(("labels",))
        what = f"lacks {order.label.text}, by which --prune knows what it may delete"
        return Problem("labels", what, f"add `labels: {order.label.written}`", "label", line, column)
    return None


def _checked(client: Client, content: bytes) -> tuple[Problem, ...]:
    found = client.check(content)["problems"]
    return tuple(Problem(**problem) for problem in found)


def _problems(error: Refused) -> tuple[Problem, ...]:
    if error.status == HTTPStatus.UNAUTHORIZED:
        raise error  # It would be the same for every file.
    return error.problems or (Problem("document", str(error), code=error.code),)


def _print_applied(uploads: list[Upload], is_dry: bool) -> None:
    done = [upload for upload in uploads if upload.applied]
    rows = [row for upload in done for row in change_rows(upload.applied, shown(upload.file))]
    if rows:
        print_table(("", "name", "change", "version", "file"), rows)
    if not is_dry:
        return
    for upload in done:
        print_differences(upload.applied["differences"], f"{upload.applied['name']} would differ")
        print_schedule_changes(upload.applied)
