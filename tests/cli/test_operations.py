"""Single fires, backfills and catch-up on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Ran

Ask = Callable[..., Ran]

ACTION = """version: 1
name: operated
inputs: {word: {type: string, default: usual}}
schedule: {every: 1 hour, start: 2026-01-01T00:00:00Z, catchup: ask}
stages: [{id: a, uses: set, with: {values: {word: "${{ inputs.word }}"}}}]
"""
RANGE = ("--from", "2026-01-05T00:00:00Z", "--to", "2026-01-05T02:30:00Z")


@pytest.fixture
def operated(ask: Ask, tmp_path: Path) -> str:
    """A schedule that fires every hour."""
    file = tmp_path / "operated.yaml"
    file.write_text(ACTION)
    assert ask("apply", "-f", file).code == 0
    return "operated"


def fire(ask: Ask, name: str, place: int = -1) -> dict[str, Any]:
    """A fire that is not near."""
    found = json.loads(ask("schedules", "upcoming", name, "--count", "5", "--json").out)
    fires: list[dict[str, Any]] = found["fires"]
    return fires[place]


def test_a_fire_is_skipped_and_that_is_undone(ask: Ask, operated: str) -> None:
    due = fire(ask, operated)["due"]
    assert ask("schedules", "skip", operated, due, "--note", "a holiday").out == (
        f"operated will not fire at {due}\n"
    )
    assert "skipped: a holiday" in ask("schedules", "upcoming", operated).out
    assert due in ask("schedules", "changes", operated).out
    assert ask("schedules", "undo", operated, due).code == 0
    assert due not in ask("schedules", "changes", operated).out


def test_a_fire_is_moved_and_given_inputs(ask: Ask, operated: str) -> None:
    due = fire(ask, operated)["due"]
    ask("schedules", "move", operated, due, "2999-01-01T00:00:00Z")
    ask("schedules", "inputs", operated, due, "-i", "word=unusual")
    found = fire(ask, operated)
    assert (found["planned"], found["moved"], found["other_inputs"]) == ("2999-01-01T00:00:00Z", True, True)
    assert ask("schedules", "undo", operated, due).code == 0


def test_a_backfill_is_counted_then_executed(ask: Ask, operated: str) -> None:
    counted = ask("schedules", "backfill", operated, *RANGE, "--dry-run").out
    assert counted.startswith("3 fires from 2026-01-05T00:00:00Z to 2026-01-05T02:00:00Z; ")
    ran = ask(
        "schedules", "backfill", operated, *RANGE, "--rate", "6000", "-i", "word=again", "--wait", "--json"
    )
    done = json.loads(ran.out)
    assert (ran.code, done["state"], done["done"], done["failed"]) == (0, "completed", 3, 0)
    assert done["id"] in ask("schedules", "backfills", operated).out


def test_a_backfill_is_cancelled(ask: Ask, operated: str) -> None:
    started = json.loads(ask("schedules", "backfill", operated, *RANGE, "--rate", "1", "--json").out)
    cancelled = json.loads(ask("schedules", "cancel", operated, started["id"], "--json").out)
    assert cancelled["state"] == "cancelled"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("catchup", "operated"), 0, "no fire waits for an approval"),
        (("catchup", "operated", "--approve"), 1, "no fire waits for an approval"),
        (("catchup", "operated", "--approve", "--decline"), 2, "not both"),
        (("catchup", "operated", "--last-only"), 2, "goes with --approve"),
        (("skip", "operated", "2999-01-01T00:10:00Z"), 1, "there is no fire at 2999-01-01T00:10:00Z"),
        (("inputs", "operated", "2999-01-01T00:00:00Z"), 2, "at least one --input"),
        (
            ("backfill", "operated", "--from", "2026-01-05T00:00:00Z", "--to", "2999-01-01T00:00:00Z"),
            1,
            "future",
        ),
        (("cancel", "operated", "bkf_0"), 1, "there is no backfill"),
    ],
)
def test_an_answer_is_one_line(
    ask: Ask, operated: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = ask("schedules", *arguments)
    assert (ran.code, said in ran.out + ran.err) == (code, True), ran
