"""`cronny schedules`: the schedules, their fires and what is done with both."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cronny.cli.backfills import backfill, backfills, cancel_backfill
from cronny.cli.catchups import catchup
from cronny.cli.client import Client, Key, Url, open_client
from cronny.cli.fires import changes, give, move, skip, undo
from cronny.cli.following import Wait, finish
from cronny.cli.inputs import Inputs, parse_inputs
from cronny.cli.insight import stats, why
from cronny.cli.previews import preview
from cronny.cli.terminal import AsJson, marked, moment, print_fields, print_json, print_table, until
from dsl.durations import parse_duration

app = typer.Typer(
    help="List, show, pause, resume, trigger and delete schedules.",
    add_completion=False,
    no_args_is_help=True,
)

for command in (preview, skip, move, undo, changes, backfill, backfills, catchup):
    app.command()(command)
app.command(name="inputs")(give)
app.command(name="cancel")(cancel_backfill)

Name = Annotated[str, typer.Argument(help="The schedule's name.")]

app.command()(why)
app.command()(stats)


@app.command(name="list")
def list_schedules(url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """List every schedule by name."""
    items = open_client(url, key).get("schedules")["items"]
    if as_json:
        return print_json(items)
    now = datetime.now(UTC)
    rows = [
        (one["name"], one["action"], _state(one), one["description"], until(one["next_due"], now))
        for one in items
    ]
    return print_table(("name", "action", "state", "rule", "next"), rows)


@app.command()
def show(name: Name, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Show a schedule and how far it has come."""
    _print(open_client(url, key).get("schedules", name), as_json)


@app.command()
def pause(
    name: Name,
    note: Annotated[str, typer.Option(help="Why, for those who wonder later.")] = "",
    end: Annotated[str, typer.Option("--until", help="When it ends by itself: 2h, or an instant.")] = "",
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Let nothing fire until the schedule is resumed."""
    wish = {"note": note, **({"until": _instant(end)} if end else {})}
    _print(open_client(url, key).post("schedules", name, "pause", json=wish), as_json)


@app.command()
def resume(
    name: Name,
    catchup: Annotated[bool, typer.Option(help="Catch up what fell into the pause.")] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Let a paused schedule fire again."""
    _print(open_client(url, key).post("schedules", name, "resume", json={"catchup": catchup}), as_json)


@app.command()
def trigger(
    name: Name,
    inputs: Inputs = None,
    wait: Wait = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Trigger a schedule's action now, with the schedule's inputs."""
    client = open_client(url, key)
    finish(client, _triggered(client, name, inputs), wait, as_json)


@app.command()
def upcoming(
    name: Name,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many fires.")] = 5,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show when a schedule fires next."""
    found = open_client(url, key).get("schedules", name, "upcoming", count=count)
    if as_json:
        return print_json(found)
    now = datetime.now(UTC)
    rows = [
        (
            fire["due"],
            marked(fire["local"], fire["clock_change"]),
            until(fire["planned"], now),
            _asked(fire),
        )
        for fire in found["fires"]
    ]
    print_table(("due", f"local ({found['timezone']})", "in", ""), rows)
    return typer.echo(found["note"]) if found["note"] else None


@app.command()
def delete(name: Name, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Delete a schedule; what it has triggered stays in the ledger."""
    open_client(url, key).delete("schedules", name)
    if as_json:
        print_json({"name": name, "change": "deleted"})
    else:
        typer.echo(f"{name} is deleted")


def _instant(text: str) -> str:
    """The instant that lies a duration ahead; what is none is left for the API to read."""
    try:
        return (datetime.now(UTC) + parse_duration(text)).isoformat()
    except ValueError:
        return text


def _asked(fire: Any) -> str:
    """What somebody asked of a single fire."""
    asked = ["skipped"] if fire["skipped"] else []
    asked += [f"moved to {fire['planned']}"] if fire["moved"] else []
    asked += ["with other inputs"] if fire["other_inputs"] else []
    return ", ".join(asked) + (f": {fire['note']}" if fire["note"] else "")


def _triggered(client: Client, name: str, inputs: list[str] | None) -> Any:
    given = parse_inputs(inputs)
    return client.post("schedules", name, "trigger", json={"inputs": given} if given else {})


def _print(schedule: Any, as_json: bool) -> None:
    if as_json:
        return print_json(schedule)
    now = datetime.now(UTC)
    return print_fields([
        ("name", schedule["name"]),
        ("action", schedule["action"]),
        ("rule", schedule["description"]),
        ("state", _state(schedule)),
        ("note", schedule["note"]),
        ("until", f"{moment(schedule['paused_until'])} {until(schedule['paused_until'], now)}".strip()),
        ("next", f"{moment(schedule['next_due'])} {until(schedule['next_due'], now)}".strip()),
        ("last", moment(schedule["last_due"])),
        ("written in", f"action {schedule['action']}" if schedule["embedded"] else ""),
        ("workflow", schedule["workflow_id"]),
    ])  # fmt: skip


def _state(schedule: Any) -> str:
    return "paused" if schedule["paused"] else str(schedule["state"])
