"""`cronny schedules skip|move|inputs|undo|changes`: single fires that are still to come."""

from typing import Annotated, Any

import typer
from pydantic import JsonValue

from cronny.cli.client import Key, Url, open_client
from cronny.cli.inputs import Inputs, parse_inputs
from cronny.cli.terminal import AsJson, print_json, print_table

Schedule = Annotated[str, typer.Argument(metavar="NAME", help="The schedule's name.")]
Due = Annotated[
    str, typer.Argument(help="The due as `upcoming` shows it, RFC 3339, such as 2026-12-24T09:00:00Z.")
]
Why = Annotated[str, typer.Option("--note", help="Why, for those who wonder later.")]


def skip(
    name: Schedule, due: Due, note: Why = "", url: Url = None, key: Key = None, as_json: AsJson = False
) -> None:
    """Leave a single fire out."""
    changed = open_client(url, key).post("schedules", name, "fires", due, "skip", json={"note": note})
    _tell(changed, f"{name} will not fire at {changed['due']}", as_json)


def move(
    name: Schedule,
    due: Due,
    to: Annotated[str, typer.Argument(help="When it is to happen instead, RFC 3339.")],
    note: Why = "",
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Let a single fire happen at another instant."""
    body = {"to": to, "note": note}
    changed = open_client(url, key).post("schedules", name, "fires", due, "move", json=body)
    _tell(changed, f"the fire of {name} at {changed['due']} happens at {changed['moved_to']}", as_json)


def give(
    name: Schedule,
    due: Due,
    inputs: Inputs = None,
    note: Why = "",
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Give a single fire other inputs, above those of its schedule."""
    given = parse_inputs(inputs)
    if not given:
        raise typer.BadParameter("give at least one --input NAME=VALUE")
    body: dict[str, JsonValue] = {"inputs": given, "note": note}
    changed = open_client(url, key).post("schedules", name, "fires", due, "inputs", json=body)
    _tell(changed, f"the fire of {name} at {changed['due']} has inputs of its own", as_json)


def undo(name: Schedule, due: Due, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Undo what was asked of a single fire."""
    open_client(url, key).delete("schedules", name, "fires", due)
    _tell(
        {"schedule": name, "due": due, "change": "undone"}, f"{name} fires at {due} as its rule says", as_json
    )


def changes(name: Schedule, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List what was asked of single fires that are still to come."""
    items = open_client(url, key).get("schedules", name, "fires")["items"]
    if as_json:
        return print_json(items)
    return print_table(("due", "change", "by", "note", ""), [_row(one) for one in items])


def _row(change: Any) -> tuple[str, str, str, str, str]:
    what = {"move": f"move to {change['moved_to']}", "inputs": f"inputs {change['inputs']}"}
    void = "void: the rule has no such fire any more" if change["void"] else ""
    return change["due"], what.get(change["kind"], change["kind"]), change["actor"], change["note"], void


def _tell(changed: Any, text: str, as_json: bool) -> None:
    if as_json:
        print_json(changed)
    else:
        typer.echo(text)
