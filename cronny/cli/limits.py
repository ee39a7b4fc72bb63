"""`cronny limits`: what the tenant may have, and what it has."""

import typer

from cronny.cli.client import Key, Url, open_client
from cronny.cli.terminal import AsJson, print_json, print_table

app = typer.Typer(help="Show what the tenant may have at the most, and what it has.", add_completion=False)


@app.command()
def limits(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Show what the tenant may have at the most, and what it has."""
    items = open_client(url, key).get("limits")["items"]
    if as_json:
        return print_json(items)
    rows = [(one["name"], _text(one["limit"], "none"), _text(one["used"], "")) for one in items]
    return print_table(("name", "limit", "used"), rows)


def _text(value: object, without: str) -> str:
    return without if value is None else str(value)
