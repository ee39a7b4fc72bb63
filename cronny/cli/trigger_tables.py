"""Triggers as tables."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import typer
from pydantic import JsonValue
from rich.table import Table

from cronny.cli.downloads import size_text
from cronny.cli.terminal import console, moment, print_fields, table

COLUMNS = ("id", "action", "schedule", "due", "state", "late", "took", "reason")
OUTPUT_LINES = 20  # of an output; who wants more wants all of it, and so JSON
SHORT = 60  # characters of an item
STAGE_COLUMNS = ("stage", "state", "attempts", "took", "then", "error")


def trigger_table(triggers: Iterable[Any]) -> Table:
    """A line for each trigger."""
    return table(COLUMNS, [_row(trigger) for trigger in triggers])


def print_trigger(trigger: Any) -> None:
    """A trigger alone, with its values and stages."""
    print_fields([
        ("id", trigger["id"]),
        ("action", f"{trigger['action']} v{trigger['action_version']}"),
        ("schedule", trigger["schedule"] or _origin(trigger)),
        ("due", moment(trigger["due"])),
        ("planned", moment(trigger["planned"]) if trigger["planned"] != trigger["due"] else ""),
        ("state", trigger["state"]),
        ("reason", trigger["reason"]),
        ("late", _late(trigger)),
        ("took", _took(trigger)),
        ("inputs", trigger["inputs"]),
        ("outputs", _large(trigger, "outputs", trigger["id"]) or trigger["outputs"]),
        ("error", _message(trigger["error"])),
        ("workflow", trigger["workflow_id"]),
    ])  # fmt: skip
    if trigger["stages"]:
        typer.echo()
        console().print(table(STAGE_COLUMNS, [_stage_row(stage) for stage in trigger["stages"]]))
    for stage in trigger["stages"]:
        gave = _large(stage, "output", f"{trigger['id']} {stage['id']}")
        if gave or stage["output"] is not None:
            typer.echo()
            print_fields([(f"{stage['id']} gave", gave or _cut(stage["output"]))])


def item_table(items: Iterable[Any]) -> Table:
    """A line for each item of a stage."""
    return table(
        ("item", "value", "state", "attempts", "took", "error"),
        [
            (
                str(one["item"]),
                _short(one["value"]),
                one["state"],
                one["attempt"],
                _took(one),
                _message(one["error"]),
            )
            for one in items
        ],
    )


def _short(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def _row(trigger: Any) -> tuple[JsonValue, ...]:
    count = f" x{trigger['count']}" if trigger["count"] > 1 else ""
    return (
        trigger["id"],
        trigger["action"],
        trigger["schedule"],
        f"{moment(trigger['due'])}{count}",
        trigger["state"],
        _late(trigger),
        _took(trigger),
        trigger["reason"],
    )


def _stage_row(stage: Any) -> tuple[JsonValue, ...]:
    then = ", ".join(connector["to"] for connector in stage["fired"])
    return stage["id"], _state(stage), stage["attempt"], _took(stage), then, _message(stage["error"])


def _state(stage: Any) -> str:
    counts = stage.get("items")
    if stage["taken_over"]:
        return f"{stage['state']}, taken over"
    if counts is None:
        return str(stage["state"])
    failed = f", {counts['failed']} failed" if counts["failed"] else ""
    done = counts["completed"] + counts["failed"] + counts["skipped"]
    return f"{stage['state']} ({done}/{counts['total']}{failed})"


def _origin(trigger: Any) -> str:
    """Why there is a trigger that no schedule gave."""
    if trigger["rerun_of"]:
        return f"none: a re-run of {trigger['rerun_of']}"
    if trigger["test"]:
        return "none: a test of its action"
    if trigger["webhook"]:
        return f"none: asked for by the webhook {trigger['webhook']}"
    return (
        f"none: asked for by a stage of {trigger['parent']}"
        if trigger["parent"]
        else "none: asked for by hand"
    )


def _large(thing: Any, name: str, which: str) -> str:
    """What to do about a value that is too large to be shown; nothing if it is not."""
    value = thing.get("large", {}).get(name)
    return f"{size_text(value['size'])} of JSON: cronny triggers output {which}" if value else ""


def _cut(output: JsonValue) -> str:
    lines = json.dumps(output, ensure_ascii=False, indent=2).splitlines()
    rest = len(lines) - OUTPUT_LINES
    return "\n".join([*lines[:OUTPUT_LINES], f"… {rest} more lines, in --json"] if rest > 1 else lines)


def _late(trigger: Any) -> str:
    late = trigger["lateness_ms"]
    if late is None:
        return ""
    return f"{late:.0f} ms" if late < 10_000 else f"{late / 1000:.0f} s"


def _took(thing: Any) -> str:
    if not thing["started"] or not thing["finished"]:
        return ""
    span = datetime.fromisoformat(thing["finished"]) - datetime.fromisoformat(thing["started"])
    return f"{span.total_seconds():.2f} s"


def _message(error: Any) -> str:
    if not isinstance(error, dict):
        return "" if error is None else str(error)
    return ": ".join(str(error[part]) for part in ("code", "message") if error.get(part))
