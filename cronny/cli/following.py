"""A trigger that was asked for by hand, followed to its end."""

import time
from http import HTTPStatus
from typing import Annotated, Any

import typer

from cronny.cli.client import Client, Refused
from cronny.cli.exits import Exit
from cronny.cli.live import events_of, print_event
from cronny.cli.terminal import console, print_json
from cronny.cli.trigger_tables import print_trigger

ASK_EVERY = 1.0  # seconds between two looks at a trigger that cannot be followed
OPEN = {"scheduled", "executing"}

Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for its end; the exit code is 1 unless it completed.")
]


def ended(client: Client, trigger: Any, *, is_shown: bool = False) -> Any:
    """A trigger with its stages, once it has ended; its log lines are shown meanwhile if that is wanted."""
    while (found := client.get("triggers", trigger["id"]))["state"] in OPEN:
        try:
            _follow(client, trigger["id"], is_shown=is_shown)
        except Refused as error:
            if error.status != HTTPStatus.TOO_MANY_REQUESTS:
                raise
            time.sleep(ASK_EVERY)  # Too many others follow with this key; asking is always allowed.
    return found


def finish(client: Client, trigger: Any, is_awaited: bool, as_json: bool) -> None:
    """Show a trigger that was asked for, at once or when it has ended."""
    if is_awaited:
        trigger = ended(client, trigger, is_shown=not as_json and console().is_terminal)
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


def _follow(client: Client, trigger: str, *, is_shown: bool) -> None:
    """Return when a trigger has ended; in a pipe nothing comes before the result."""
    for event in events_of(client, trigger):
        if is_shown:
            print_event(event, with_states=True)
        if event["event"] == "state" and event["stage"] is None and event["state"] not in OPEN:
            return  # Its stages may go on, if it completes as it starts.
