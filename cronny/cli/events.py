"""`cronny events`: who did what, and why."""

from typing import Annotated, Any

import typer

from cronny.cli.client import Key, Url, open_client
from cronny.cli.paging import latest
from cronny.cli.terminal import AsJson, moment, print_json, print_table
from cronny.cli.triggers import Limit, OfAction, OfSchedule

KEPT = ("connection", "variable", "secret", "key", "calendar")  # what has its name in the event's details

app = typer.Typer(help="List who did what, and why.", add_completion=False, no_args_is_help=True)


@app.callback()
def events() -> None:
    """List who did what, and why."""


@app.command(name="list")
def list_events(
    schedule: OfSchedule = None,
    action: OfAction = None,
    trigger: Annotated[str | None, typer.Option("--trigger", help="Only about this trigger.")] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only of this kind; as often as wanted.")
    ] = None,
    limit: Limit = 20,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List events, the latest first."""
    wanted = {"schedule": schedule, "action": action, "trigger": trigger, "kind": kind}
    items = latest(open_client(url, key), "events", limit, **wanted)
    if as_json:
        return print_json(items)
    return print_table(("at", "actor", "event", "about", "note"), [_row(event) for event in items])


def _row(event: Any) -> tuple[str, ...]:
    details = event["details"] if isinstance(event["details"], dict) else {}
    kept = next((details[noun] for noun in KEPT if noun in details), "")
    about = event["schedule"] or event["action"] or kept
    named = f"{about} {event['trigger']}" if event["trigger"] else about
    return moment(event["at"]), event["actor"], event["kind"].replace("_", " "), named, event["note"]
