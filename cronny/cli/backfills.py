"""`cronny schedules backfill|backfills|cancel`: a range of the past, executed at a bounded rate."""

import time
from typing import Annotated, Any

import typer
from pydantic import JsonValue
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cronny.cli.client import Client, Key, Url, open_client
from cronny.cli.exits import Exit
from cronny.cli.fires import Schedule, Why
from cronny.cli.inputs import Inputs, parse_inputs
from cronny.cli.terminal import AsJson, console, print_fields, print_json, print_table

LOOK_EVERY = 1.0  # seconds between two looks at the progress


def backfill(
    name: Schedule,
    since: Annotated[str, typer.Option("--from", help="The first instant of the range, RFC 3339.")],
    until: Annotated[str, typer.Option("--to", help="The last instant of the range.")],
    rate: Annotated[int, typer.Option(min=1, max=6000, help="Triggers in a minute at the most.")] = 60,
    overlap: Annotated[
        str, typer.Option(help="As in a schedule; allow executes them side by side.")
    ] = "queue_all",
    inputs: Inputs = None,
    note: Why = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for its end; the exit code is 1 if a trigger failed.")
    ] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Execute the fires of a range of the past."""
    client = open_client(url, key)
    body: dict[str, JsonValue] = {
        "from": since, "to": until, "rate": rate, "overlap": overlap, "inputs": parse_inputs(inputs),
        "note": note, "dry_run": dry_run,
    }  # fmt: skip
    found = client.post("schedules", name, "backfills", json=body)
    if dry_run:
        return _print_plan(found, as_json)
    found = _followed(client, found) if wait else found
    if as_json:
        print_json(found)
    elif wait:
        _print(found)
    else:
        typer.echo(
            f"{found['id']} executes {found['total']} fires; `cronny schedules backfills {name}` follows it"
        )
    if wait and (found["failed"] or found["state"] != "completed"):
        raise typer.Exit(Exit.FAILED)
    return None


def backfills(name: Schedule, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List the backfills of a schedule, the latest first."""
    items = open_client(url, key).get("schedules", name, "backfills")["items"]
    if as_json:
        return print_json(items)
    columns = ("id", "state", "from", "to", "done", "failed", "by", "note")
    rows = [
        (
            one["id"], one["state"], one["since"], one["until"], f"{one['done']} of {one['total']}",
            one["failed"], one["actor"], one["note"],
        )
        for one in items
    ]  # fmt: skip
    return print_table(columns, rows)


def cancel_backfill(
    name: Schedule,
    backfill_id: Annotated[str, typer.Argument(metavar="BACKFILL", help="The backfill's id.")],
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Leave out what of a backfill has not begun."""
    found = open_client(url, key).post("schedules", name, "backfills", backfill_id, "cancel")
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print_plan(plan: Any, as_json: bool) -> None:
    if as_json:
        return print_json(plan)
    if not plan["total"]:
        return typer.echo("there is no fire in the range")
    what = f"{plan['total']} fires from {plan['first']} to {plan['last']}"
    return typer.echo(f"{what}; starting them takes {plan['minutes']:.1f} minutes")


def _followed(client: Client, found: Any) -> Any:
    """The backfill once it has ended; a bar says how far it is, on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    terminal = console()
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal, transient=True) as progress:
        bar = progress.add_task(found["schedule"], total=found["total"])
        while found["done"] < found["total"]:
            time.sleep(LOOK_EVERY)
            found = client.get("schedules", found["schedule"], "backfills", found["id"])
            progress.update(bar, completed=found["done"])
    return found


def _print(found: Any) -> None:
    print_fields([
        ("id", found["id"]),
        ("state", found["state"]),
        ("from", found["since"]),
        ("to", found["until"]),
        ("done", f"{found['done']} of {found['total']}"),
        ("failed", found["failed"] or None),
        ("executing", found["executing"] or None),
        ("note", found["note"]),
    ])  # fmt: skip
