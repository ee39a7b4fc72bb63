"""`cronny schedules preview` and `cronny apply --dry-run`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Ran

Ask = Callable[..., Ran]

ACTION = """version: 1
name: previewed
schedule: every year on 1 june at 09:00
stages: [{id: a, uses: set, with: {values: {x: 1}}}]
"""


@pytest.fixture
def saved(ask: Ask, tmp_path: Path) -> Path:
    file = tmp_path / "previewed.yaml"
    file.write_text(ACTION)
    assert ask("apply", "-f", file).code == 0
    return file


def test_a_phrase_is_previewed(ask: Ask) -> None:
    ran = ask("schedules", "preview", "every day at 09:00", "--timezone", "Europe/London", "--count", "2")
    lines = ran.out.splitlines()
    assert (ran.code, lines[0], len(lines)) == (0, "every day at 09:00 Europe/London", 4)


def test_a_phrase_that_is_wrong_is_pointed_at(ask: Ask) -> None:
    ran = ask("schedules", "preview", "every dya at 09:00")
    assert (ran.code, ran.out, ran.err.splitlines()[-1]) == (1, "", "        ^")


def test_a_rule_is_compared_with_a_saved_schedule(ask: Ask, saved: Path) -> None:
    ran = ask("schedules", "preview", "every day at 09:00", "--against", "previewed", "--json")
    changes = json.loads(ran.out)["changes"]
    assert changes["added"]["count"] in (89, 90, 91)
    shown = ask("schedules", "preview", "every day at 09:00", "--against", "previewed").out
    assert f"against previewed: {changes['added']['count']} fires added, " in shown


def test_every_rule_of_a_file_is_previewed(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "several.yaml"
    file.write_text(
        "schedules: [{id: early, every: day, at: '07:00'}, {id: late, every: day, at: '19:00'}]\n"
    )
    out = ask("schedules", "preview", file, "--count", "1").out
    assert [line for line in out.splitlines() if ": every" in line] == [
        "early: every day at 07:00",
        "late: every day at 19:00",
    ]


def test_a_wrong_rule_of_a_file_is_shown_at_its_place(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("schedule:\n  every: day\n  at: '25:00'\n")
    ran = ask("schedules", "preview", file)
    assert (ran.code, ran.out.startswith(f"{file}:3:7: schedule.at: ")) == (1, True)


def test_a_dry_run_shows_the_fires_that_change_and_changes_nothing(ask: Ask, saved: Path) -> None:
    saved.write_text(ACTION.replace("every year on 1 june", "every day"))
    dry = ask("apply", "-f", saved, "--dry-run").out
    assert "previewed would be updated: " in dry
    assert json.loads(ask("schedules", "show", "previewed", "--json").out)["description"] == (
        "every year on 1 june at 09:00"
    )
