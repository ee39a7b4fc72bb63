"""A trigger's events as they happen; a connection that breaks is made again where it broke."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import typer
from rich.text import Text

from cronny.cli.client import Client, Refused
from cronny.cli.complaint import printable
from cronny.cli.terminal import COLOURS, console
from cronny.errors import Unavailable

AGAIN = 1.0  # seconds before a server that is away is asked again
PATIENCE = 60  # times in a row
HUES = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")


@dataclass
class _Place:
    """How far the events have come."""

    last: str = ""
    has_ended: bool = False


def events_of(
    client: Client, trigger: str, stages: Sequence[str] | None = None, *, follow: bool = True
) -> Iterator[Any]:
    """The events of a trigger, each with its kind as `event`, until it has ended or all is told."""
    place, failures = _Place(), 0
    while not place.has_ended:
        try:
            for event in _read(client, trigger, stages, place, follow):
                failures = 0
                yield event
            if not follow:
                return
        except Refused as error:
            if error.status != HTTPStatus.TOO_MANY_REQUESTS or not place.last:
                raise
        except Unavailable:
            failures += 1
            if not place.last or failures > PATIENCE:  # What never answered is no server of ours.
                raise
        if not place.has_ended:
            time.sleep(AGAIN)


def print_event(event: Any, *, with_states: bool) -> None:
    """A log line behind its stage; on a terminal also what becomes of stages."""
    stage = "" if event.get("stage") is None else str(event["stage"])
    name = stage if event.get("item") is None else f"{stage}/{event['item']}"
    if event["event"] == "log":
        if not with_states:
            return typer.echo(f"{name} | {printable(event['text'])}")
        if event.get("restarted"):
            console().print(
                Text(f"{name} is executed again, from its beginning", style="dim"), soft_wrap=True
            )
        mark = Text.assemble((name, HUES[sum(stage.encode()) % len(HUES)]), (" │ ", "dim"))
        style = "red" if event["stream"] == "stderr" else ""
        console().print(mark.append(printable(event["text"]), style=style), soft_wrap=True)
    elif event["event"] == "state" and with_states:
        console().print(_state_line(name or "trigger", event), soft_wrap=True)


def _state_line(name: str, event: Any) -> Text:
    state, error = str(event["state"]), event.get("error")
    message = f": {error.get('message', '')}" if isinstance(error, dict) else ""
    line = Text.assemble((f"{name} ", "dim"), (state, COLOURS.get(state, "dim")))
    return line.append(printable(message), style="dim")


def _read(
    client: Client, trigger: str, stages: Sequence[str] | None, place: _Place, follow: bool
) -> Iterator[Any]:
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": place.last} if place.last else {})
    query: dict[str, Any] = {"stage": list(stages or ()) or None, "follow": None if follow else "false"}
    is_empty = True
    for fields in _events(client.stream("triggers", trigger, "events", headers=headers, **query)):
        is_empty = False
        if "event" not in fields:
            continue
        place.last = fields.get("id", place.last)
        place.has_ended = fields["event"] == "end"
        yield {"event": fields["event"], **json.loads(fields["data"])}
    place.has_ended = place.has_ended or is_empty  # An answer without anything says: do not come back.


def _events(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """The fields of each event; ours have each of them once."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line:
            if fields:
                yield fields
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
