"""What an upload, a rollback or a deletion did, or would do."""

from typing import Any

import typer

from cronny.cli.complaint import printable
from cronny.cli.previews import print_changes

MARKS = {"added": "+", "removed": "-", "changed": "~"}
NAMED = 50  # differences that are listed; who wants more asks for JSON


def change_rows(applied: Any, file: str = "") -> list[tuple[str, ...]]:
    """A row for an action, and one for each of its schedules."""
    rows: list[tuple[str, ...]] = [("action", applied["name"], applied["change"], f"v{applied['version']}")]
    rows += [("schedule", one["name"], one["change"], "") for one in applied["schedules"]]
    return [(*row, file if row[0] == "action" else "") for row in rows] if file else rows


def print_schedule_changes(applied: Any) -> None:
    """What a dry run says of the fires of each schedule that would change."""
    for one in applied["schedules"]:
        if one["fires"] and one["change"] != "unchanged":
            print_changes(one["fires"], f"{one['name']} would be {one['change']}")


def print_differences(found: list[Any], title: str) -> None:
    """The parts of an action that differ, as lines that begin with `+`, `-` and `~`."""
    if found and title:
        typer.echo(f"{title}:")
    for one in found[:NAMED]:
        fields = ", ".join(field["field"] for field in one["fields"] if field["field"])
        what = f"{one['part']} {one['name']}" if one["part"] != "action" else one["name"]
        typer.echo(printable(f"  {MARKS[one['change']]} {what}{f': {fields}' if fields else ''}"))
    if len(found) > NAMED:
        typer.echo(f"  … {len(found) - NAMED} more")
