"""`cronny schedules preview`: what a rule does before it is saved, and what it changes."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cronny.cli.client import Key, Url, open_client
from cronny.cli.rules import given_rules
from cronny.cli.terminal import AsJson, print_json, print_table, until

NAMED = 10  # fires of either kind that are listed; who wants more asks for JSON
MARKS = {"gap": "clocks go forward over it", "overlap": "clocks show it twice"}

Rule = Annotated[
    str, typer.Argument(metavar="FILE|RULE", help="A rule, or a file with rules; - is standard input.")
]


def preview(
    rule: Rule,
    against: Annotated[str | None, typer.Option(help="A saved schedule: show which fires change.")] = None,
    timezone: Annotated[str | None, typer.Option(help="The zone of a rule that names none.")] = None,
    count: Annotated[int, typer.Option(min=1, max=200, help="How many fires.")] = 5,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show what a rule does before it is saved, and what it would change."""
    rules = given_rules(rule, timezone)
    if against and len(rules) > 1:
        raise typer.BadParameter(
            "--against: the file has several rules; `cronny apply --dry-run` compares each"
        )
    client = open_client(url, key)
    found = [
        client.post("schedules", "preview", json={"schedule": value, "name": against, "count": count})
        for _, value in rules
    ]
    if as_json:
        return print_json(found[0] if len(found) == 1 else found)
    for (name, _), one in zip(rules, found, strict=True):
        _print(name, one)
    return None


def print_changes(changes: Any, title: str) -> None:
    """The fires that come and go, as lines that begin with `+` and `-`."""
    added, removed = changes["added"], changes["removed"]
    if not added["count"] and not removed["count"]:
        return typer.echo(f"{title}: no fire changes until {changes['until']}")
    typer.echo(f"{title}: {added['count']} fires added, {removed['count']} removed until {changes['until']}")
    marked = [(due, "+") for due in added["first"]] + [(due, "-") for due in removed["first"]]
    for due, mark in sorted(marked)[:NAMED]:
        typer.echo(f"  {mark} {due}")
    more = added["count"] + removed["count"] - min(len(marked), NAMED)
    return typer.echo(f"  … {more} more") if more else None


def _print(name: str, found: Any) -> None:
    now = datetime.now(UTC)
    typer.echo(f"{f'{name}: ' if name else ''}{found['description']}")
    rows = [
        (fire["due"], fire["local"], until(fire["due"], now), MARKS.get(fire["clock_change"], ""))
        for fire in found["fires"]
    ]
    print_table(("due", f"local ({found['timezone']})", "in", ""), rows)
    if found["changes"]:
        print_changes(found["changes"], f"against {found['against']}")
