"""`cronny approvals`: list, show and decide what stages wait for."""

from typing import Annotated, Any

import typer

from cronny.cli.client import Key, Url, open_client
from cronny.cli.paging import latest
from cronny.cli.terminal import AsJson, moment, print_fields, print_json, print_table
from cronny.cli.triggers import Limit

app = typer.Typer(
    help="List, show and decide what stages wait for.", add_completion=False, no_args_is_help=True
)

Id = Annotated[str, typer.Argument(help="The approval's id.")]
Note = Annotated[str, typer.Option("--note", help="Why, for those who wonder later.")]
All = Annotated[bool, typer.Option("--all", help="Those that are settled, too.")]


@app.command(name="list")
def list_approvals(
    everything: All = False, limit: Limit = 20, url: Url = None, key: Key = None, as_json: AsJson = False
) -> None:
    """List what waits for a decision, the latest first."""
    state = "all" if everything else "waiting"
    items = latest(open_client(url, key), "approvals", limit, state=state)
    if as_json:
        return print_json(items)
    columns = ("id", "action", "stage", "state", "until", "approvals", "message")
    return print_table(columns, [_row(one) for one in items])


@app.command()
def show(approval: Id, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Show an approval with its decisions."""
    _print(open_client(url, key).get("approvals", approval), as_json)


@app.command()
def approve(approval: Id, note: Note = "", url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Approve, in the name of the API key."""
    _print(open_client(url, key).post("approvals", approval, "approve", json={"note": note}), as_json)


@app.command()
def reject(approval: Id, note: Note = "", url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Reject, in the name of the API key: the stage fails with approval.rejected."""
    _print(open_client(url, key).post("approvals", approval, "reject", json={"note": note}), as_json)


def _row(approval: Any) -> tuple[str, ...]:
    first = (approval["message"].splitlines() or [""])[0]
    approved = sum(one["decision"] == "approved" for one in approval["decisions"])
    return (
        approval["id"],
        approval["action"],
        approval["stage"],
        approval["state"],
        moment(approval["until"]),
        f"{approved} of {approval['needed']}",
        first,
    )


def _print(approval: Any, as_json: bool) -> None:
    if as_json:
        return print_json(approval)
    decisions = [
        (f"{one['decision']} by", f"{one['by']} at {moment(one['at'])} {one['note']}".rstrip())
        for one in approval["decisions"]
    ]
    return print_fields([
        ("id", approval["id"]),
        ("state", approval["state"]),
        ("action", approval["action"]),
        ("trigger", approval["trigger"]),
        ("stage", approval["stage"]),
        ("message", approval["message"]),
        ("approvers", ", ".join(approval["approvers"])),
        ("needed", approval["needed"]),
        ("until", moment(approval["until"])),
        *decisions,
    ])  # fmt: skip
