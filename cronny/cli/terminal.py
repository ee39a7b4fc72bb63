"""What a command gives: JSON for programs, tables for people."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from pydantic import JsonValue
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cronny.cli.complaint import printable

PIPED_WIDTH = 240  # columns when the output is no terminal: nothing is cut off
COLOURS = {
    "completed": "green",
    "executing": "cyan",
    "failed": "red",
    "missed": "yellow",
    "paused": "yellow",
    "created": "green",
    "updated": "cyan",
    "deleted": "red",
}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs, and nothing else.")]


def console() -> Console:
    """Standard output, as wide as the terminal."""
    found = Console(highlight=False, markup=False, emoji=False)
    if not found.is_terminal:
        found.width = PIPED_WIDTH
    return found


def print_json(value: JsonValue, indent: int | None = 2) -> None:
    """One JSON document."""
    typer.echo(json.dumps(value, indent=indent))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[JsonValue]]) -> None:
    """A table for people, or on a pipe for `grep`."""
    console().print(table(columns, rows))


def print_fields(fields: Iterable[tuple[str, JsonValue]]) -> None:
    """A thing alone, a line for each field that has a value."""
    grid = Table.grid(padding=(0, 2))
    for name, value in fields:
        if value not in (None, "", [], {}):
            grid.add_row(Text(name, style="dim"), cell(value))
    console().print(grid)


def table(columns: Sequence[str], rows: Iterable[Sequence[JsonValue]]) -> Table:
    """The rows below the names of their columns."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made


def cell(value: JsonValue) -> Text:
    """A value as text: nothing in it is markup or steers the terminal."""
    if value is None:
        return Text("")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = "\n".join(printable(line) for line in text.splitlines())
    return Text(shown, style=COLOURS.get(text, ""))


def moment(value: JsonValue) -> str:
    """An instant of the API on the clocks of this machine."""
    if not isinstance(value, str):
        return ""
    return datetime.fromisoformat(value).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def marked(local: str, clock_change: str) -> str:
    """A local time, with what a change of clocks has to do with it."""
    return f"{local} ({clock_change})" if clock_change else local


def distance(span: timedelta) -> str:
    """A span for people, in its two largest units: `2d 3h`."""
    rest = max(int(span / timedelta(seconds=1)), 0)
    parts = []
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def until(value: JsonValue, now: datetime) -> str:
    """How long it is to an instant of the API; nothing if there is none."""
    if not isinstance(value, str):
        return ""
    due = datetime.fromisoformat(value)
    return f"in {distance(due - now)}" if due > now else "now"


def utc_text(instant: datetime) -> str:
    """RFC 3339 in UTC with a `Z`."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
