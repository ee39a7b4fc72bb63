"""`cronny keys`: list, make and revoke API keys."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import JsonValue

from cronny.cli.client import Key, Url, open_client
from cronny.cli.terminal import AsJson, moment, print_json, print_table, utc_text
from dsl.durations import parse_duration

app = typer.Typer(help="List, make and revoke API keys.", add_completion=False, no_args_is_help=True)


@app.command(name="list")
def list_keys(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List every API key by name; the keys themselves are not kept."""
    items = open_client(url, key).get("keys")["items"]
    if as_json:
        return print_json(items)
    rows = [
        (
            one["name"],
            one["role"],
            len(one["scopes"]),
            moment(one["expires"]),
            moment(one["last_used"]),
            one["id"],
        )
        for one in items
    ]
    return print_table(("name", "role", "scopes", "expires", "last used", "id"), rows)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who uses it; events name it as the actor.")],
    role: Annotated[str, typer.Option(help="viewer, operator, editor or admin.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="Only this of the role, such as actions:run; as often as wanted."),
    ] = None,
    expires: Annotated[str | None, typer.Option(help="For how long it is valid, such as 90d.")] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key and print it, this once."""
    scopes: JsonValue = list[JsonValue](scope) if scope else None
    wanted = {"name": name, "role": role, "scopes": scopes, "expires": _end(expires)}
    made = open_client(url, key).post("keys", json=wanted)
    if as_json:
        print_json(made)
    else:
        typer.echo(
            f"the key {name} may, as {role}: {', '.join(made['scopes'])}; it is not shown again", err=True
        )
        typer.echo(made["key"])


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The key's name, or its id.")],
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Take an API key back at once."""
    open_client(url, key).delete("keys", name)
    if as_json:
        print_json({"name": name, "change": "deleted"})
    else:
        typer.echo(f"{name} is revoked")


def _end(span: str | None) -> str | None:
    if span is None:
        return None
    try:
        return utc_text(datetime.now(UTC) + parse_duration(span))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"--expires: {error}") from None
