"""A trigger that was asked for by hand, followed to its end."""

import time
from typing import Annotated, Any

import typer

from cronny.cli.client import Client
from cronny.cli.exits import Exit
from cronny.cli.terminal import print_json
from cronny.cli.trigger_tables import print_trigger

ASK_EVERY = 0.5  # seconds between two looks at the trigger
OPEN = {"scheduled", "executing"}

Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for its end; the exit code is 1 unless it completed.")
]


def ended(client: Client, trigger: Any) -> Any:
    """A trigger with its stages, once it has ended."""
    while True:
        trigger = client.get("triggers", trigger["id"])
        if trigger["state"] not in OPEN:
            return trigger
        time.sleep(ASK_EVERY)


def finish(client: Client, trigger: Any, is_awaited: bool, as_json: bool) -> None:
    """Show a trigger that was asked for, at once or when it has ended."""
    if is_awaited:
        trigger = ended(client, trigger)
    if as_json:
        print_json(trigger)
    elif is_awaited:
        print_trigger(trigger)
    else:
        typer.echo(
            f"{trigger['id']} is due now; `cronny triggers show {trigger['id']}` says what became of it"
        )
    if is_awaited and trigger["state"] != "completed":
        raise typer.Exit(Exit.FAILED)
