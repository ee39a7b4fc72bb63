"""`cronny secrets`: list, show, set and delete secrets, and rotate the keys that seal them."""

import json
from typing import Annotated

import typer

from cronny.cli.client import Key, Url, open_client
from cronny.cli.given_value import given_value
from cronny.cli.keys_at_rest import drop_key, rotate, sealing_keys
from cronny.cli.terminal import AsJson, moment, print_fields, print_json, print_table
from cronny.cli.users import Force, users

app = typer.Typer(
    help="List, set and delete secrets, and rotate the keys that seal them.",
    add_completion=False,
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="The secret's name; expressions in `with` call it secrets.NAME.")]
LOST = "lost: set it again"


@app.command(name="list")
def list_secrets(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List every secret by name; what they are is shown to nobody."""
    items = open_client(url, key).get("secrets")["items"]
    if as_json:
        return print_json(items)
    rows = [
        (
            one["name"],
            one["sealed_under"] if one["readable"] else LOST,
            moment(one["updated"]),
            moment(one["last_used"]),
        )
        for one in items
    ]
    return print_table(("name", "sealed under", "set", "last used"), rows)


@app.command()
def show(name: Name, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Show when a secret was set and used, and by which actions; not what it is."""
    found = open_client(url, key).get("secrets", name)
    if as_json:
        return print_json(found)
    return print_fields([
        ("name", found["name"]),
        ("sealed under", found["sealed_under"] if found["readable"] else LOST),
        ("used by", users(found)),
        ("set", moment(found["updated"])),
        ("last used", moment(found["last_used"])),
    ])  # fmt: skip


@app.command(name="set")
def set_secret(name: Name, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Set a secret to the text from standard input, or ask for it without showing it."""
    client = open_client(url, key)
    value = given_value(f"value of {name}", is_secret=True)
    written = client.put("secrets", name, content=json.dumps({"value": value}).encode())
    if as_json:
        print_json(written)
    else:
        typer.echo(f"{name} is set")


@app.command()
def delete(
    name: Name, force: Force = False, url: Url = None, key: Key = None, as_json: AsJson = False
) -> None:
    """Delete a secret that no action uses."""
    open_client(url, key).delete("secrets", name, force="true" if force else None)
    if as_json:
        print_json({"name": name, "change": "deleted"})
    else:
        typer.echo(f"{name} is deleted")


app.command(name="rotate")(rotate)
app.command(name="sealing-keys")(sealing_keys)
app.command(name="drop-key")(drop_key)
