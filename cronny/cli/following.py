"""A trigger that was asked for by hand, followed to its end."""

from typing import Annotated, Any

import typer

from cronny.cli.client import Client
from cronny.cli.exits import Exit
from cronny.cli.live import events_of, print_event
from cronny.cli.terminal import console, print_json
from cronny.cli.trigger_tables import print_trigger

OPEN = {"scheduled", "executing"}

Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for its end; the exit code is 1 unless it completed.")
]


def finish(client: Client, trigger: Any, is_awaited: bool, as_json: bool) -> None:
    """Show a trigger that was asked for, at once or when it has ended."""
    while is_awaited and trigger["state"] in OPEN:
        for event in events_of(client, trigger["id"]):
            if not as_json and console().is_terminal:  # In a pipe nothing comes before the result.
                print_event(event, with_states=True)
            if event["event"] == "state" and event["stage"] is None and event["state"] not in OPEN:
                break  # Its stages may go on, if it completes as it starts.
        trigger = client.get("triggers", trigger["id"])
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
