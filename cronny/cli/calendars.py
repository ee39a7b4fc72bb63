"""`cronny calendars`: list, show, set and delete calendars, and list their dates."""

from datetime import date
from typing import Annotated, Any

import typer

from cronny.cli.client import Key, Refused, Url, open_client
from cronny.cli.exits import Exit
from cronny.cli.files import read
from cronny.cli.findings import Finding, print_findings
from cronny.cli.terminal import AsJson, moment, print_fields, print_json, print_table
from dsl.problems import Problem
from dsl.recurrence import WEEKDAYS

app = typer.Typer(
    help="List, show, set and delete calendars, and list their dates.",
    add_completion=False,
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="The calendar's name.")]


@app.command(name="list")
def list_calendars(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List every calendar by name."""
    items = open_client(url, key).get("calendars")["items"]
    if as_json:
        return print_json(items)
    rows = [(one["name"], one["kind"], one["revision"], moment(one["updated"])) for one in items]
    return print_table(("name", "kind", "revision", "updated"), rows)


@app.command()
def show(
    name: Name,
    source: Annotated[bool, typer.Option("--source", help="Print the text as it was written.")] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show a calendar and the schedules that name it."""
    found = open_client(url, key).get("calendars", name)
    if source:
        typer.echo(found["source"], nl=False)
    else:
        _print(found, as_json)


@app.command(name="set")
def set_calendar(
    name: Name,
    file: Annotated[
        str,
        typer.Option("--file", "-f", help="Dates or holidays in YAML, or iCalendar; - is standard input."),
    ],
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Write a calendar from a file; the schedules that name it follow at once."""
    client, content = open_client(url, key), read(file)
    if isinstance(content, Problem):
        print_findings([Finding(file, content)], as_json)
        raise typer.Exit(Exit.FAILED)
    try:
        written = client.put("calendars", name, content=content)
    except Refused as error:
        if not error.problems:
            raise
        print_findings([Finding(file, problem) for problem in error.problems], as_json)
        raise typer.Exit(Exit.FAILED) from None
    if as_json:
        print_json(written)
    else:
        users = ", ".join(written["used_by"])
        typer.echo(f"{name} is set: {written['kind']}, used by {users or 'no schedule'}")


@app.command()
def dates(
    name: Name,
    first: Annotated[str | None, typer.Option("--from", help="The first day; today, unless given.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day; a year on, unless given.")] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List the dates of a calendar."""
    query = {"from": first, "to": last}
    found = open_client(url, key).get("calendars", name, "dates", **query)
    if as_json:
        return print_json(found)
    rows = [(one["date"], _weekday(one["date"]), one["name"]) for one in found["dates"]]
    return print_table(("date", "weekday", "name"), rows)


@app.command()
def delete(name: Name, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Delete a calendar that no schedule names."""
    open_client(url, key).delete("calendars", name)
    if as_json:
        print_json({"name": name, "change": "deleted"})
    else:
        typer.echo(f"{name} is deleted")


def _weekday(text: str) -> str:
    return WEEKDAYS[date.fromisoformat(text).weekday()]


def _print(calendar: Any, as_json: bool) -> None:
    if as_json:
        return print_json(calendar)
    return print_fields([
        ("name", calendar["name"]),
        ("kind", calendar["kind"]),
        ("revision", calendar["revision"]),
        ("updated", moment(calendar["updated"])),
        ("used by", ", ".join(calendar["used_by"])),
    ])  # fmt: skip
