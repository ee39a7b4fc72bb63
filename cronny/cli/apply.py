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
from cronny.cli.previews import print_changes
from cronny.cli.terminal import AsJson, print_json, print_table
from cronny.names import is_name
from dsl.document import read_document
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
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Upload actions from YAML files and folders."""
    client, found = open_client(url, key), expand(files)
    if not found:
        complain(f"no YAML files in {', '.join(files)}")
        raise typer.Exit(Exit.FAILED)
    taken: dict[str, str] = {}
    uploads = [_upload(client, file, taken, dry_run) for file in found]
    findings = [Finding(upload.file, problem) for upload in uploads for problem in upload.problems]
    if as_json:
        done: list[JsonValue] = [
            {"file": shown(upload.file), **upload.applied} for upload in uploads if upload.applied
        ]
        print_json({"applied": done, "problems": [finding.json() for finding in findings]})
    else:
        _print_applied(uploads)
        _print_fires(uploads)
        print_findings(findings, as_json=False)
    if findings:
        raise typer.Exit(Exit.FAILED)


def _upload(client: Client, file: str, taken: dict[str, str], is_dry: bool) -> Upload:
    """Upload one file; `taken` says which names the files before it have."""
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
    if name in taken:
        line, column = document.at(("name",))
        what = f"{shown(taken[name])} is '{name}' too"
        return Upload(
            file, problems=(Problem("name", what, "rename one of them", "duplicate", line, column),)
        )
    taken[name] = file
    try:
        return Upload(file, client.put("actions", name, content=content, dry_run="true" if is_dry else None))
    except Refused as error:
        return Upload(file, problems=_problems(error))


def _checked(client: Client, content: bytes) -> tuple[Problem, ...]:
    found = client.check(content)["problems"]
    return tuple(Problem(**problem) for problem in found)


def _problems(error: Refused) -> tuple[Problem, ...]:
    if error.status == HTTPStatus.UNAUTHORIZED:
        raise error  # It would be the same for every file.
    return error.problems or (Problem("document", str(error), code=error.code),)


def _print_applied(uploads: list[Upload]) -> None:
    rows = []
    for upload in uploads:
        if upload.applied:
            action = upload.applied
            rows.append(("action", action["name"], action["change"], f"v{action['version']}", upload.file))
            rows += [("schedule", one["name"], one["change"], "", "") for one in action["schedules"]]
    if rows:
        print_table(("", "name", "change", "version", "file"), rows)


def _print_fires(uploads: list[Upload]) -> None:
    """What a dry run says of the fires of each schedule that would change."""
    schedules = [one for upload in uploads if upload.applied for one in upload.applied["schedules"]]
    for one in schedules:
        if one["fires"] and one["change"] != "unchanged":
            print_changes(one["fires"], f"{one['name']} would be {one['change']}")
