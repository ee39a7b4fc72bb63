"""`cronny schedules why` and `stats`: what became of a fire, and of all of them."""

from typing import Annotated, Any

import typer

from cronny.cli.client import Key, Url, open_client
from cronny.cli.terminal import AsJson, moment, print_fields, print_json

Name = Annotated[str, typer.Argument(help="The schedule's name.")]


def why(
    name: Name,
    at: Annotated[
        str,
        typer.Argument(help="'2026-11-24T09:00Z', or '2026-11-24 09:00' or '2026-11-24' on its clocks."),
    ],
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Say why a schedule fired at some time, did not, or will."""
    found = open_client(url, key).get("schedules", name, "why", at=at)
    if as_json:
        print_json(found)
    else:
        typer.echo(found["sentence"])


def stats(
    name: Name,
    since: Annotated[
        str | None, typer.Option("--from", help="Dues from this instant on; 7 days ago, unless given.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Dues before this instant; now, unless given.")
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show how well a schedule's fires went."""
    found = open_client(url, key).get("schedules", name, "stats", **{"from": since, "to": until})
    if as_json:
        return print_json(found)
    rate, failure = found["success_rate"], found["last_failure"] or {}
    return print_fields([
        ("schedule", found["schedule"]),
        ("fires due", f"{moment(found['from'])} to {moment(found['to'])}{_partly(found)}"),
        *((state, count or None) for state, count in found["fires"].items()),
        ("success", "" if rate is None else f"{rate:.2%}"),
        ("late", _spread(found["lateness"])),
        ("took", _spread(found["duration"])),
        ("last failure", " ".join([moment(failure.get("due")), failure.get("trigger", "")]).strip()),
    ])  # fmt: skip


def _partly(found: Any) -> str:
    return "" if found["whole"] else ", the latest 10 000 rows"


def _spread(spread: Any) -> str:
    if spread is None:
        return ""
    return f"p50 {spread['p50_ms']:.0f} ms, p99 {spread['p99_ms']:.0f} ms, at most {spread['max_ms']:.0f} ms"
