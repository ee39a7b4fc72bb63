"""`cronny next`: when a rule fires, without a server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer
from pydantic import JsonValue

from cronny.cli.complaint import complain
from cronny.cli.exits import Exit
from cronny.cli.phrases import phrase_in, read_rule
from cronny.cli.terminal import AsJson, distance, marked, print_json, print_table
from cronny.names import instant_text
from cronny.scheduling import Compiled, compile_schedule

ASK_THERE = "`cronny schedules preview` asks it"
MOST = 1000  # fires in one answer

app = typer.Typer(add_completion=False)


@app.command(name="next")
def next_fires(
    rule: Annotated[str, typer.Argument(help="Such as 'every week on Monday at 09:00' or 'in 10 minutes'.")],
    timezone: Annotated[
        str | None, typer.Option(help="The zone of a rule that names none, such as Europe/London.")
    ] = None,
    after: Annotated[str | None, typer.Option(help="An instant in RFC 3339; now, unless given.")] = None,
    count: Annotated[int, typer.Option(min=1, max=MOST, help="How many fires.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Show when a rule fires next, without a server."""
    start = _instant(after) if after else datetime.now(UTC).replace(microsecond=0)
    schedule = read_rule(phrase_in(rule, timezone))
    if schedule.calendar_names:
        complain(f"the calendar '{schedule.calendar_names[0]}' is known to a server only; {ASK_THERE}")
        raise typer.Exit(Exit.FAILED)
    compiled = compile_schedule(schedule, start)
    fires = list(islice(_dues(compiled, start), count))
    if as_json:
        print_json([_fire(compiled, due) for due in fires])
    elif fires:
        rows = [(*_shown(compiled, due), f"in {distance(due - start)}") for due in fires]
        print_table(("due", f"local ({schedule.timezone})", f"after {instant_text(start)}"), rows)
    else:
        typer.echo(f"no fire after {instant_text(start)}")


def _fire(compiled: Compiled, due: datetime) -> dict[str, JsonValue]:
    local = compiled.local(due).isoformat()
    return {"due": instant_text(due), "local": local, "clock_change": compiled.touched(due) or ""}


def _shown(compiled: Compiled, due: datetime) -> tuple[str, str]:
    return instant_text(due), marked(compiled.local(due).isoformat(), compiled.touched(due) or "")


def _dues(compiled: Compiled, after: datetime) -> Iterator[datetime]:
    due = compiled.next(after)
    while due is not None:
        yield due
        due = compiled.next(due)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise typer.BadParameter(f"--after: '{text}' is not an instant such as 2026-03-20T00:00:00Z")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise typer.BadParameter(f"--after: '{text}' lies beyond the calendar") from None
