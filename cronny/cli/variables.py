"""`cronny vars`: list, show, set and delete variables."""

import json
from typing import Annotated

import typer
from pydantic import JsonValue

from cronny.cli.client import Key, Url, open_client
from cronny.cli.given_value import given_value
from cronny.cli.terminal import AsJson, moment, print_fields, print_json, print_table
from cronny.cli.users import Force, users
from cronny.errors import SettingsError
from dsl.document import read_document

app = typer.Typer(help="List, set and delete variables.", add_completion=False, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The variable's name; expressions call it vars.NAME.")]


@app.command(name="list")
def list_variables(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List every variable by name."""
    items = open_client(url, key).get("vars")["items"]
    if as_json:
        return print_json(items)
    rows = [(one["name"], one["value"], moment(one["updated"])) for one in items]
    return print_table(("name", "value", "updated"), rows)


@app.command()
def show(name: Name, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Show a variable and the actions that use it."""
    found = open_client(url, key).get("vars", name)
    if as_json:
        return print_json(found)
    return print_fields([
        ("name", found["name"]),
        ("value", found["value"]),
        ("used by", users(found)),
        ("updated", moment(found["updated"])),
    ])  # fmt: skip


@app.command(name="set")
def set_variable(
    name: Name,
    parse: Annotated[
        bool, typer.Option("--parse", help="Read the value as YAML: a number, a list; else it is a text.")
    ] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Give a variable the value from standard input, or ask for it."""
    client = open_client(url, key)
    text = given_value(f"value of {name}", is_secret=False)
    content = json.dumps({"value": _parsed(text) if parse else text}).encode()
    written = client.put("vars", name, content=content)
    if as_json:
        print_json(written)
    else:
        typer.echo(f"{name} is set")


@app.command()
def delete(
    name: Name, force: Force = False, url: Url = None, key: Key = None, as_json: AsJson = False
) -> None:
    """Delete a variable that no action uses."""
    open_client(url, key).delete("vars", name, force="true" if force else None)
    if as_json:
        print_json({"name": name, "change": "deleted"})
    else:
        typer.echo(f"{name} is deleted")


def _parsed(text: str) -> JsonValue:
    document, problems = read_document(text)
    if document is None or problems:
        raise SettingsError(problems[0].render("<stdin>") if problems else "<stdin>: cannot be read")
    return document.value
