"""`cronny triggers`: list, show, watch and cancel triggers."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import JsonValue

from cronny.cli.client import Key, Url, open_client
from cronny.cli.downloads import place_of_value, save
from cronny.cli.following import Wait, finish
from cronny.cli.live import events_of, print_event
from cronny.cli.paging import latest
from cronny.cli.terminal import AsJson, console, print_json
from cronny.cli.trigger_tables import item_table, print_trigger, trigger_table
from cronny.cli.watching import Changes, watch_lines, watch_table

app = typer.Typer(help="List, show, watch and cancel triggers.", add_completion=False, no_args_is_help=True)

OfSchedule = Annotated[str | None, typer.Option("--schedule", help="Only those of this schedule.")]
OfAction = Annotated[str | None, typer.Option("--action", help="Only those of this action.")]
State = Annotated[
    list[str] | None, typer.Option("--state", help="Only those in this state; as often as wanted.")
]
Reason = Annotated[
    str | None, typer.Option("--reason", help="Only for this reason, such as paused or stage_failed.")
]
By = Annotated[str | None, typer.Option("--kind", help="manual: asked for by hand; scheduled: by a rule.")]
Since = Annotated[str | None, typer.Option("--from", help="Only dues at or after this instant, RFC 3339.")]
Until = Annotated[str | None, typer.Option("--to", help="Only dues before this instant, RFC 3339.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="The latest so many.")]


@app.command(name="list")
def list_triggers(
    schedule: OfSchedule = None,
    action: OfAction = None,
    state: State = None,
    reason: Reason = None,
    kind: By = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 20,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List triggers, the latest due first."""
    wanted = {"schedule": schedule, "action": action, "state": state, "reason": reason, "kind": kind}
    items = latest(open_client(url, key), "triggers", limit, **wanted, **{"from": since, "to": until})
    if as_json:
        print_json(items)
    else:
        console().print(trigger_table(items))


@app.command()
def show(
    trigger: Annotated[str, typer.Argument(help="The trigger's id.")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for its end; the exit code is 1 unless it completed.")
    ] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show a trigger with its values and stages."""
    client = open_client(url, key)
    found = client.get("triggers", trigger)
    if follow:
        finish(client, found, True, as_json)
    elif as_json:
        print_json(found)
    else:
        print_trigger(found)


@app.command()
def logs(
    trigger: Annotated[str, typer.Argument(help="The trigger's id.")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the trigger has ended, or Ctrl-C.")
    ] = False,
    stage: Annotated[
        list[str] | None, typer.Option("--stage", help="Only of this stage; as often as wanted.")
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show what the stages of a trigger log; with --json, an object a line for each event."""
    is_terminal = console().is_terminal
    for event in events_of(open_client(url, key), trigger, stage, follow=follow):
        if as_json:
            print_json(event, indent=None)
        else:
            print_event(event, with_states=is_terminal)


@app.command()
def cancel(
    trigger: Annotated[str, typer.Argument(help="The trigger's id.")],
    note: Annotated[str, typer.Option("--note", help="Why, for those who wonder later.")] = "",
    force: Annotated[
        bool, typer.Option("--force", help="End it at once: nothing is cleaned up, undone or finished.")
    ] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Cancel a trigger that has not begun or that executes."""
    found = open_client(url, key).post("triggers", trigger, "cancel", json={"note": note, "force": force})
    if as_json:
        print_json(found)
    elif found["state"] == "cancelled":
        typer.echo(f"{trigger} is cancelled")
    else:
        typer.echo(f"{trigger} is being cancelled; `cronny triggers show {trigger}` says how far it is")


@app.command()
def rerun(
    trigger: Annotated[str, typer.Argument(help="The trigger's id.")],
    begin: Annotated[
        list[str] | None,
        typer.Option(
            "--from", metavar="STAGE", help="A stage to begin with; those that failed, unless given."
        ),
    ] = None,
    wait: Wait = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Execute a trigger again from where it failed, as a new trigger."""
    client = open_client(url, key)
    finish(
        client,
        client.post("triggers", trigger, "rerun", json={"from": list[JsonValue](begin or ())}),
        wait,
        as_json,
    )


@app.command()
def items(
    trigger: Annotated[str, typer.Argument(help="The trigger's id.")],
    stage: Annotated[str, typer.Argument(help="The id of a stage with foreach.")],
    state: Annotated[
        list[str] | None, typer.Option("--state", help="Only those in this state; as often as wanted.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="The first so many.")] = 20,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List the items of a stage with foreach."""
    found = latest(open_client(url, key), ("triggers", trigger, "stages", stage, "items"), limit, state=state)
    if as_json:
        print_json(found)
    else:
        console().print(item_table(found))


@app.command()
def output(
    trigger: Annotated[str, typer.Argument(help="The trigger's id.")],
    stage: Annotated[str | None, typer.Argument(help="A stage; without one, what the trigger gave.")] = None,
    item: Annotated[
        int | None, typer.Option("--item", min=0, help="Of this item of a stage with foreach, from 0.")
    ] = None,
    is_input: Annotated[bool, typer.Option("--input", help="What the stage got instead.")] = False,
    file: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file for it, instead of standard output.")
    ] = None,
    url: Url = None,
    key: Key = None,
) -> None:
    """Get what a trigger or a stage gave, as JSON of any size."""
    place = place_of_value(trigger, stage, item, "input" if is_input else "output")
    save(open_client(url, key).download(*place), file)


@app.command()
def watch(
    schedule: OfSchedule = None,
    action: OfAction = None,
    state: State = None,
    limit: Limit = 20,
    once: Annotated[bool, typer.Option("--once", help="Show what there is and end.")] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Follow triggers live until Ctrl-C; with --json, an object a line for each change of state."""
    client = open_client(url, key)

    def look() -> list[Any]:
        return latest(client, "triggers", limit, schedule=schedule, action=action, state=state)

    if as_json:
        watch_lines(look, Changes(), once)
    elif once:
        console().print(trigger_table(look()))
    else:
        watch_table(look)
