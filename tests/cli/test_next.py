"""`cronny next`: the fires of a rule, without a server."""

import json
from pathlib import Path

import pytest

from cronny.cli.main import run
from tests.cli.command import Ran, run_cronny

AFTER = ("--after", "2026-03-20T00:00:00Z")


def test_the_fires_of_a_rule_are_printed_with_their_local_time() -> None:
    ran = run_cronny(
        "next", "every week on Monday at 09:00", "--timezone", "Europe/London", *AFTER, "--count", "2"
    )
    lines = [line.split() for line in ran.out.splitlines()]
    assert (ran.code, ran.err, lines[1:]) == (
        0,
        "",
        [
            ["2026-03-23T09:00:00Z", "2026-03-23T09:00:00+00:00", "in", "3d", "9h"],
            ["2026-03-30T08:00:00Z", "2026-03-30T09:00:00+01:00", "in", "10d", "8h"],
        ],
    )


def test_programs_get_a_list_of_objects(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["next", "every day at 09:00 Europe/London", *AFTER, "--count", "1", "--json"])
    assert (code, json.loads(capsys.readouterr().out)) == (
        0,
        [{"due": "2026-03-20T09:00:00Z", "local": "2026-03-20T09:00:00+00:00", "clock_change": ""}],
    )


@pytest.mark.parametrize(
    ("rule", "dues"),
    [
        ("every 1 hour 20 minutes", ["2026-03-20T01:20:00Z", "2026-03-20T02:40:00Z"]),
        ("in 10 minutes", ["2026-03-20T00:10:00Z"]),
        ("2026-12-24 18:00 Europe/London", ["2026-12-24T18:00:00Z"]),
        ("every month on the 1st", ["2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"]),
        ("2020-01-01", []),
    ],
)
def test_each_kind_of_rule_has_its_fires(
    rule: str, dues: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["next", rule, *AFTER, "--count", "2", "--json"]) == 0
    assert [fire["due"] for fire in json.loads(capsys.readouterr().out)] == dues


def test_a_rule_without_a_fire_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["next", "2020-01-01", *AFTER]) == 0
    assert capsys.readouterr().out == "no fire after 2026-03-20T00:00:00Z\n"


def test_an_error_points_at_the_word() -> None:
    assert run_cronny("next", "every weak on Monday") == Ran(
        1,
        "",
        "cronny: every: no unit of time 'weak'; did you mean 'week'?\n  every weak on Monday\n        ^\n",
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("every day", "--timezone", "Europe/Londn"), "did you mean 'Europe/London'?"),
        (("every day Europe/Paris", "--timezone", "UTC"), "the rule names a time zone already"),
        (("every day", "--after", "yesterday"), "'yesterday' is not an instant such as 2026-03-20T00:00:00Z"),
        (("every day", "--after", "2026-03-20T00:00:00"), "is not an instant such as"),
        (("every day", "--after", "0001-01-01T00:00:00+14:00"), "lies beyond the calendar"),
        (("every day", "--count", "0"), "--count"),
        ((), "Missing argument"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(
    flags: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["next", *flags])
    output = capsys.readouterr()
    assert (code, output.out, output.err.count("\n"), message in output.err) == (2, "", 1, True)


def test_next_needs_no_installation(tmp_path: Path) -> None:
    assert run_cronny("next", "every 5 minutes", cwd=tmp_path).code == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("after", "marks"),
    [("2026-03-28T12:00:00Z", ["gap", ""]), ("2026-10-24T12:00:00Z", ["overlap", ""])],
)
def test_a_fire_that_clock_changes_touch_is_marked(
    after: str, marks: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rule = ["next", "every day at 01:30 Europe/London", "--after", after, "--count", "2"]
    assert run([*rule, "--json"]) == 0
    assert [fire["clock_change"] for fire in json.loads(capsys.readouterr().out)] == marks
    assert run(rule) == 0
    assert f"({marks[0]})" in capsys.readouterr().out
