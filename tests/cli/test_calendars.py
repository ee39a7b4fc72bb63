"""`cronny calendars` against a running instance."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Ran

Ask = Callable[..., Ran]
EXAMPLES = Path(__file__).parents[2] / "docs" / "calendars"


@pytest.mark.parametrize("example", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_a_calendar_is_set_from_a_file(ask: Ask, example: Path) -> None:
    ran = ask("calendars", "set", "from_file", "-f", example)
    assert (ran.code, ran.out.split(":")[0], ran.out.split()[-2:]) == (
        0, "from_file is set", ["no", "schedule"],
    )  # fmt: skip
    assert ask("calendars", "show", "from_file", "--source").out == example.read_text()


def test_the_dates_of_a_calendar_are_listed(ask: Ask) -> None:
    ask("calendars", "set", "england", "-f", EXAMPLES / "england.yaml")
    ran = ask("calendars", "dates", "england", "--from", "2026-12-01", "--to", "2026-12-27")
    assert [line.rstrip().split(maxsplit=2) for line in ran.out.splitlines()] == [
        ["date", "weekday", "name"],
        ["2026-12-25", "friday", "Christmas Day"],
        ["2026-12-26", "saturday", "Boxing Day"],
    ]


def test_calendars_are_listed_shown_and_deleted(ask: Ask) -> None:
    ask("calendars", "set", "closed", "-f", EXAMPLES / "closed.yaml")
    names = {one["name"] for one in json.loads(ask("calendars", "list", "--json").out)}
    assert ("closed" in names, ask("calendars", "list").out.split()[:2]) == (True, ["name", "kind"])
    assert "dates" in ask("calendars", "show", "closed").out
    assert ask("calendars", "delete", "closed").out == "closed is deleted\n"
    assert ask("calendars", "show", "closed").code == 1


def test_a_wrong_calendar_is_told_at_its_place(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("dates:\n  - 2026-02-30\n")
    ran = ask("calendars", "set", "wrong", "-f", file)
    line = f"{file}:2:5: dates[0]: '2026-02-30' is not a date; write it such as 2026-12-25\n"
    assert (ran.code, ran.out) == (1, line)


def test_a_file_that_is_not_there_is_said(ask: Ask, tmp_path: Path) -> None:
    ran = ask("calendars", "set", "gone", "-f", tmp_path / "gone.yaml")
    assert (ran.code, "cannot be read" in ran.out) == (1, True)


def test_a_rule_with_a_calendar_needs_a_server(ask: Ask) -> None:
    ran = ask("next", "every day except england")
    assert (ran.code, ran.err) == (
        1,
        "cronny: the calendar 'england' is known to a server only; `cronny schedules preview` asks it\n",
    )
