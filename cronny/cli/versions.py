"""`cronny actions versions`, `diff` and `rollback`."""

from typing import Annotated

import typer

from cronny.cli.client import Key, Url, open_client
from cronny.cli.complaint import printable
from cronny.cli.paging import latest
from cronny.cli.plans import change_rows, print_differences, print_schedule_changes
from cronny.cli.terminal import AsJson, moment, print_json, print_table

Name = Annotated[str, typer.Argument(help="The action's name.")]


def list_versions(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    show: Annotated[
        int | None, typer.Option("--show", metavar="VERSION", help="Print the text of this one.")
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List the versions of an action, the latest first, or show one."""
    client = open_client(url, key)
    if show is not None:
        version = client.get("actions", name, "versions", str(show))
        if as_json:
            return print_json(version)
        return typer.echo(version["source"], nl=not version["source"].endswith("\n"))
    items = latest(client, ("actions", name, "versions"), limit)
    if as_json:
        return print_json(items)
    rows = [
        (
            f"v{one['version']}",
            moment(one["created"]),
            one["actor"],
            f"v{one['restored']}" if one["restored"] else "",
        )
        for one in items
    ]
    return print_table(("version", "created", "actor", "text of"), rows)


def diff(
    name: Name,
    before: Annotated[
        int | None, typer.Option("--from", min=1, help="The version to compare with; the one before.")
    ] = None,
    after: Annotated[
        int | None, typer.Option("--to", min=1, help="The version to compare; the newest.")
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Print the difference of the texts only.")] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show what two versions have otherwise: part by part, and line by line."""
    found = open_client(url, key).get("actions", name, "diff", **{"from": before, "to": after})
    if as_json:
        return print_json(found)
    if not text:
        title = f"{name} v{found['before']} to v{found['after']}"
        print_differences(found["differences"], title)
        typer.echo(
            "" if found["differences"] else f"{title}: no part differs\n", nl=bool(found["differences"])
        )
    for line in found["text"].splitlines():
        typer.echo(printable(line))
    return None


def rollback(
    name: Name,
    to: Annotated[
        int | None, typer.Option("--to", min=1, help="The version; the one before the newest.")
    ] = None,
    note: Annotated[str, typer.Option(help="Why, for those who wonder later.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change, fires included.")
    ] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make the text of an older version the newest one; schedules in it follow."""
    wanted = {"version": to, "note": note}
    done = open_client(url, key).post(
        "actions", name, "rollback", json=wanted, dry_run="true" if dry_run else None
    )
    if as_json:
        return print_json(done)
    print_table(("", "name", "change", "version"), change_rows(done))
    print_differences(done["differences"], f"{name} {'would differ' if dry_run else 'differs'}")
    return print_schedule_changes(done)
