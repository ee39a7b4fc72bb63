"""`cronny actions`: list, show, run and delete actions, and look at their versions."""

from typing import Annotated

import typer

from cronny.cli.client import Key, Url, open_client
from cronny.cli.following import Wait, finish
from cronny.cli.inputs import Inputs, parse_inputs
from cronny.cli.plans import change_rows, print_schedule_changes
from cronny.cli.terminal import AsJson, moment, print_fields, print_json, print_table
from cronny.cli.testing import rehearse
from cronny.cli.versions import diff, list_versions, rollback

app = typer.Typer(
    help="List, show, run and delete actions, and their versions.",
    add_completion=False,
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="The action's name.")]


@app.command(name="list")
def list_actions(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List every action by name."""
    items = open_client(url, key).get("actions")["items"]
    if as_json:
        return print_json(items)
    rows = [(one["name"], f"v{one['version']}", moment(one["updated"])) for one in items]
    return print_table(("name", "version", "updated"), rows)


@app.command()
def show(
    name: Name,
    source: Annotated[
        bool, typer.Option(help="Print the text as it was uploaded, and nothing else.")
    ] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show an action and its text."""
    action = open_client(url, key).get("actions", name)
    if as_json:
        return print_json(action)
    if source:
        return typer.echo(action["source"], nl=not action["source"].endswith("\n"))
    print_fields([
        ("name", action["name"]),
        ("version", f"v{action['version']}"),
        ("description", action["description"]),
        ("labels", action["labels"]),
        ("schedules", ", ".join(action["schedules"])),
        ("created", moment(action["created"])),
        ("updated", moment(action["updated"])),
    ])  # fmt: skip
    return typer.echo(f"\n{action['source'].rstrip()}")


@app.command()
def run(
    name: Name,
    inputs: Inputs = None,
    wait: Wait = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Trigger an action now, without a schedule."""
    client = open_client(url, key)
    trigger = client.post("actions", name, "run", json={"inputs": parse_inputs(inputs)})
    finish(client, trigger, wait, as_json)


@app.command()
def delete(
    name: Name,
    with_schedules: Annotated[
        bool, typer.Option("--with-schedules", help="Delete the schedules that trigger it, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change, fires included.")
    ] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Delete an action; its ledger and its versions stay."""
    query = {
        "with_schedules": "all" if with_schedules else None,
        "dry_run": "true" if dry_run else None,
    }
    done = open_client(url, key).delete("actions", name, **query)
    if as_json:
        return print_json(done)
    print_table(("", "name", "change", "version"), change_rows(done))
    return print_schedule_changes(done)


app.command(name="test")(rehearse)
app.command(name="versions")(list_versions)
app.command(name="diff")(diff)
app.command(name="rollback")(rollback)
