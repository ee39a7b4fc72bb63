"""`cronny apply`: each file for itself."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Ran

Ask = Callable[..., Ran]


def _write(folder: Path, name: str, schedule: str = "every day at 09:00", value: str = "1") -> Path:
    file = folder / f"{name}.yaml"
    stages = f"[{{id: a, uses: set, with: {{values: {{x: {value}}}}}}}]"
    file.write_text(f'version: 1\nname: {name}\nschedule: "{schedule}"\nstages: {stages}\n')
    return file


def _rows(ran: Ran) -> list[list[str]]:
    return [line.split() for line in ran.out.splitlines()[1:]]


def test_an_action_is_created_then_unchanged_then_updated(ask: Ask, tmp_path: Path) -> None:
    file = _write(tmp_path, "grown")
    changes = [_rows(ask("apply", "-f", file)), _rows(ask("apply", "-f", file))]
    _write(tmp_path, "grown", schedule="every day at 10:00")
    changes.append(_rows(ask("apply", "-f", tmp_path)))
    assert [[row[2] for row in rows] for rows in changes] == [
        ["created", "created"],
        ["unchanged", "unchanged"],
        ["updated", "updated"],
    ]


def test_a_wrong_file_keeps_none_back(ask: Ask, tmp_path: Path) -> None:
    _write(tmp_path, "one")
    _write(tmp_path, "two", schedule="every weak")
    _write(tmp_path, "zoo")
    ran = ask("apply", "-f", tmp_path)
    problem = f"{tmp_path}/two.yaml:3:18: schedule: no unit of time 'weak'; did you mean 'week'?"
    assert (ran.code, [row[1] for row in _rows(ran)[:4]]) == (1, ["one", "one", "zoo", "zoo"])
    assert ran.out.splitlines()[-1] == problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("a: b: c", "1:5"),
        ("version: 1\nstages: []\n", "name"),
        ("version: 1\nname: Not A Name\nstages: []\n", "2:7: name: "),
        ("name: 7\n", "1:7: name: "),
        ("- 1\n", "must be a mapping"),
    ],
)
def test_a_file_without_a_usable_name_says_all_that_is_wrong(
    content: str, problem: str, ask: Ask, tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text(content)
    ran = ask("apply", "-f", tmp_path)
    assert (ran.code, ran.err, problem in ran.out) == (1, "", True)


def test_two_files_with_one_name_are_refused(ask: Ask, tmp_path: Path) -> None:
    first, second = _write(tmp_path, "same"), tmp_path / "same_again.yaml"
    second.write_bytes(first.read_bytes())
    ran = ask("apply", "-f", tmp_path)
    assert (ran.code, ran.out.splitlines()[-1]) == (
        1,
        f"{second}:2:7: name: {first} is 'same' too; rename one of them",
    )


def test_programs_get_what_was_applied_and_the_problems(ask: Ask, tmp_path: Path) -> None:
    _write(tmp_path, "fine")
    (tmp_path / "bad.yml").write_text("[]")
    ran = ask("apply", "-f", tmp_path, "--json")
    done = json.loads(ran.out)
    assert [(one["name"], one["change"]) for one in done["applied"]] == [("fine", "created")]
    assert [one["file"] for one in done["problems"]] == [f"{tmp_path}/bad.yml"]


def test_hidden_files_and_others_are_left_out(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / ".hidden").mkdir()
    _write(tmp_path / ".hidden", "hidden")
    (tmp_path / "notes.txt").write_text("[]")
    ran = ask("apply", "-f", tmp_path)
    assert (ran.code, ran.out, ran.err) == (1, "", f"cronny: no YAML files in {tmp_path}\n")


def test_a_file_that_is_not_there_is_a_line(ask: Ask) -> None:
    ran = ask("apply", "-f", "gone.yaml")
    assert (ran.code, ran.out) == (1, "gone.yaml:1:1: file: cannot be read: No such file or directory\n")
