"""`cronny webhooks`: list, show, set, rotate and delete webhooks; secrets never stand on a command line."""

import json
from typing import Annotated, Any

import typer
from pydantic import JsonValue

from cronny.cli.client import Key, Refused, Url, open_client
from cronny.cli.exits import Exit
from cronny.cli.findings import Finding, print_findings, read_or_end
from cronny.cli.inputs import Inputs, parse_inputs
from cronny.cli.terminal import AsJson, moment, print_fields, print_json, print_table

app = typer.Typer(
    help="List, show, set, rotate and delete webhooks.", add_completion=False, no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The webhook's name.")]
File = Annotated[
    str | None, typer.Option("--file", "-f", help="YAML with all of its fields; - is standard input.")
]
Action = Annotated[str | None, typer.Option("--action", help="The action it triggers.")]
Sign = Annotated[
    str | None,
    typer.Option("--sign", help="How callers sign: github, stripe, slack or standard; a secret is made."),
]
Payload = Annotated[str | None, typer.Option("--payload", help="The input that is given the whole body.")]
Rate = Annotated[int, typer.Option("--rate", help="Triggers in a minute at the most.")]


@app.command(name="list")
def list_webhooks(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List every webhook by name."""
    items = open_client(url, key).get("webhooks")["items"]
    if as_json:
        return print_json(items)
    rows = [(one["name"], one["action"], _signed(one), one["rate"], moment(one["used"])) for one in items]
    return print_table(("name", "action", "signed", "a minute", "used"), rows)


@app.command()
def show(name: Name, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Show a webhook; its URL is shown only when it is made."""
    _print(open_client(url, key).get("webhooks", name), as_json)


@app.command(name="set")
def set_webhook(
    name: Name,
    file: File = None,
    action: Action = None,
    sign: Sign = None,
    payload: Payload = None,
    inputs: Inputs = None,
    rate: Rate = 60,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Write a webhook, from flags or from a file that may have a secret of your own in it."""
    if (file is None) == (action is None):
        raise typer.BadParameter("give either --action, or --file")
    wanted: dict[str, JsonValue] = {
        "action": action,
        "payload": payload,
        "inputs": parse_inputs(inputs),
        "rate": rate,
        "signature": {"scheme": sign} if sign else None,
    }
    content = read_or_end(file) if file is not None else json.dumps(wanted).encode()
    try:
        saved = open_client(url, key).put("webhooks", name, content=content)
    except Refused as error:
        if not error.problems or file is None:
            raise
        print_findings([Finding(file, problem) for problem in error.problems], as_json)
        raise typer.Exit(Exit.FAILED) from None
    _print(saved, as_json)


@app.command()
def rotate(name: Name, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Give a webhook another URL; the former one is worth nothing from now on."""
    _print(open_client(url, key).post("webhooks", name, "rotate"), as_json)


@app.command()
def delete(name: Name, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Delete a webhook."""
    open_client(url, key).delete("webhooks", name)
    if as_json:
        print_json({"name": name, "change": "deleted"})
    else:
        typer.echo(f"{name} is deleted")


def _signed(webhook: Any) -> str:
    return str(webhook["signature"]["scheme"]) if webhook["signature"] else "no"


def _print(webhook: Any, as_json: bool) -> None:
    if as_json:
        return print_json(webhook)
    print_fields([
        ("name", webhook["name"]),
        ("action", webhook["action"]),
        ("url", webhook.get("url")),
        ("secret", webhook.get("secret")),
        ("signed", _signed(webhook)),
        ("payload", webhook["payload"]),
        ("inputs", webhook["inputs"]),
        ("a minute", webhook["rate"]),
        ("used", moment(webhook["used"])),
        ("refused", moment(webhook["refused"])),
        ("refusal", webhook["refusal"]),
    ])  # fmt: skip
    if webhook.get("url"):
        typer.echo("\nKeep the URL and the secret now: they are not shown again.")
    return None
