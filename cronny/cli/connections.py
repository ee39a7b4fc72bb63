"""`cronny connections`: list, show, set, test, delete them; secrets never stand on a command line."""

import json
import sys
from typing import Annotated, Any

import typer

from cronny.cli.client import Key, Refused, Url, open_client
from cronny.cli.complaint import printable
from cronny.cli.connection_prompt import ask_for
from cronny.cli.exits import Exit
from cronny.cli.findings import Finding, print_findings, read_or_end
from cronny.cli.terminal import AsJson, moment, print_fields, print_json, print_table
from cronny.cli.users import Force, users

app = typer.Typer(
    help="List, show, set, test and delete connections.", add_completion=False, no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The connection's name.")]


@app.command(name="list")
def list_connections(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List every connection by name; secrets are not shown to anybody."""
    items = open_client(url, key).get("connections")["items"]
    if as_json:
        return print_json(items)
    rows = [
        (
            one["name"],
            one["kind"],
            one["settings"],
            _secrets(one),
            users(one),
            moment(one["last_used"]),
            _outcome(one["last_test"]),
        )
        for one in items
    ]
    return print_table(("name", "kind", "settings", "secrets", "used by", "last used", "test"), rows)


@app.command()
def show(name: Name, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Show a connection without its secrets, who uses it, and what its last test found."""
    found = open_client(url, key).get("connections", name)
    if as_json:
        return print_json(found)
    tested = found["last_test"]
    return print_fields([
        ("name", found["name"]),
        ("kind", found["kind"]),
        ("settings", found["settings"]),
        ("secrets", _secrets(found)),
        ("used by", users(found)),
        ("set", moment(found["updated"])),
        ("last used", moment(found["last_used"])),
        ("last test", _outcome(tested)),
        ("tested at", moment(tested["at"]) if tested else None),
        ("found", tested["message"] if tested else None),
    ])  # fmt: skip


@app.command(name="set")
def set_connection(
    name: Name,
    file: Annotated[
        str | None, typer.Option("--file", "-f", help="YAML with `kind` and `settings`; - is standard input.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Without a file: the kind whose settings to ask for.")
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Write a connection from a file, or ask for its settings; it replaces what was there."""
    if (file is None) == (kind is None):
        raise typer.BadParameter("give either --file, or --kind to be asked for the settings")
    if file is None and not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to be asked; give --file, - for standard input")
    client = open_client(url, key)
    content = read_or_end(file) if file is not None else json.dumps(ask_for(kind or "")).encode()
    try:
        written = client.put("connections", name, content=content)
    except Refused as error:
        if not error.problems or file is None:
            raise
        print_findings([Finding(file, problem) for problem in error.problems], as_json)
        raise typer.Exit(Exit.FAILED) from None
    if as_json:
        print_json(written)
    else:
        typer.echo(f"{name} is set: {written['kind']}, secrets: {_secrets(written) or 'none'}")


@app.command(name="test")
def check(name: Name, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Have a worker reach the server with the credentials; nothing is changed there."""
    found = open_client(url, key).post("connections", name, "test")
    if as_json:
        print_json(found)
    elif found["ok"]:
        typer.echo(f"{name} works: {printable(found['message'])}, within {found['elapsed_ms']} ms")
    else:
        typer.echo(f"{name} does not work: {found['code']}: {printable(found['message'])}")
    if not found["ok"]:
        raise typer.Exit(Exit.FAILED)


@app.command()
def delete(
    name: Name, force: Force = False, url: Url = None, key: Key = None, as_json: AsJson = False
) -> None:
    """Delete a connection that no action uses."""
    open_client(url, key).delete("connections", name, force="true" if force else None)
    if as_json:
        print_json({"name": name, "change": "deleted"})
    else:
        typer.echo(f"{name} is deleted")


def _outcome(tested: Any) -> str:
    """What the last test of the present settings came to, in a word."""
    if not tested:
        return "not tested"
    return "works" if tested["ok"] else f"fails: {tested['code']}"


def _secrets(connection: Any) -> str:
    return ", ".join(connection["secrets"]) if connection["readable"] else "lost: set it again"
