"""Values for an action's inputs as arguments: `--input region=eu`."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import JsonValue

Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", help="NAME=VALUE, as often as needed; VALUE is JSON, or else a text."),
]


def parse_inputs(given: Sequence[str] | None) -> dict[str, JsonValue]:
    """The values by name."""
    return dict(_parse(text) for text in given or ())


def _parse(text: str) -> tuple[str, JsonValue]:
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise typer.BadParameter(f"--input: '{text}' is not NAME=VALUE")
    try:
        return name, json.loads(value, parse_constant=_refuse)
    except ValueError:
        return name, value


def _refuse(constant: str) -> JsonValue:
    raise ValueError(f"{constant} is not JSON")
