"""`cronny schedules why`: what became of a fire, in a sentence."""

from typing import Annotated

import typer

from cronny.cli.client import Key, Url, open_client
from cronny.cli.terminal import AsJson, print_json

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
