"""`cronny schedules catchup`: fires that were missed, shown, approved or declined."""

from typing import Annotated, Any

import typer
from pydantic import JsonValue

from cronny.cli.client import Key, Url, open_client
from cronny.cli.fires import Schedule, Why
from cronny.cli.terminal import AsJson, print_json, print_table


def catchup(
    name: Schedule,
    approve: Annotated[bool, typer.Option("--approve", help="Execute what waits now.")] = False,
    decline: Annotated[bool, typer.Option("--decline", help="Leave what waits missed for good.")] = False,
    last_only: Annotated[
        bool, typer.Option("--last-only", help="With --approve: only the latest; the others stay missed.")
    ] = False,
    until: Annotated[str | None, typer.Option(help="Only ranges that end by this instant, RFC 3339.")] = None,
    note: Why = "",
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show what was missed and waits for an approval; approve or decline it."""
    if approve and decline:
        raise typer.BadParameter("give --approve or --decline, not both")
    if last_only and not approve:
        raise typer.BadParameter("--last-only goes with --approve")
    client = open_client(url, key)
    if not approve and not decline:
        return _print(client.get("schedules", name, "catchup"), as_json)
    body: dict[str, JsonValue] = {"until": until, "note": note}
    if approve:
        body["last_only"] = last_only
    done = client.post("schedules", name, "catchup", "approve" if approve else "decline", json=body)
    if as_json:
        return print_json(done)
    return typer.echo(f"{done['approved']} fires are executed now, {done['declined']} stay missed")


def _print(plan: Any, as_json: bool) -> None:
    if as_json:
        return print_json(plan)
    if not plan["total"]:
        return typer.echo("no fire waits for an approval")
    print_table(
        ("first", "last", "fires"), [(one["first"], one["last"], one["count"]) for one in plan["ranges"]]
    )
    return typer.echo(f"{plan['total']} fires wait; --approve executes them, --decline leaves them missed")
