"""What tables, prompts and the log of `cronny up` make of values."""

import json
from datetime import timedelta
from typing import Any

import pytest
import typer
from pydantic import JsonValue
from rich.console import Console
from typer.testing import CliRunner

from cronny.cli.connection_prompt import ask_for
from cronny.cli.inputs import parse_inputs
from cronny.cli.log import readable
from cronny.cli.terminal import distance, table
from cronny.cli.watching import Changes


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(milliseconds=900), "0s"),
        (timedelta(seconds=-5), "0s"),
        (timedelta(seconds=61), "1m 1s"),
        (timedelta(hours=1, minutes=20), "1h 20m"),
        (timedelta(days=31, hours=8, minutes=3), "31d 8h"),
    ],
)
def test_a_distance_has_its_two_largest_units(span: timedelta, text: str) -> None:
    assert distance(span) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("[red]x[/red]", "[red]x[/red]"),
        ("a\x1b[2Jb", "a [2Jb"),
        (None, ""),
        (7, "7"),
        ({"a": "ü"}, '{"a": "ü"}'),
    ],
)
def test_a_cell_is_text_and_nothing_else(value: JsonValue, shown: str) -> None:
    console = Console(width=80, force_terminal=False)
    with console.capture() as captured:
        console.print(table(("x",), [(value,)]))
    assert captured.get().splitlines()[1].rstrip() == shown


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("x=7", 7),
        ("x=true", True),
        ('x="7"', "7"),
        ("x=[1, 2]", [1, 2]),
        ("x=eu", "eu"),
        ("x=a=b", "a=b"),
        ("x=", ""),
        ("x=NaN", "NaN"),
    ],
)
def test_an_input_is_json_or_else_a_text(given: str, value: JsonValue) -> None:
    assert parse_inputs([given]) == {"x": value}


def test_changes_tell_each_state_once() -> None:
    changes = Changes()
    one: dict[str, Any] = {"id": "a", "due": "1", "state": "scheduled"}
    other = {"id": "b", "due": "0", "state": "completed"}
    ended = one | {"state": "completed"}
    looks = [[one, other], [one, other], [ended, other]]
    assert [changes.among(look) for look in looks] == [[other, one], [], [ended]]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain \x1b[31mred", "plain  [31mred"),
        (
            '{"time": "2026-01-01T10:00:00Z", "level": "info", "message": "m", "a": "b c"}',
            '10:00:00 INFO m a="b c"',
        ),
        ('{"level": "info", "message": "m", "logger": "l", "color_message": "c"}', "INFO m"),
        ("{broken", "{broken"),
        ("[1]", "[1]"),
    ],
)
def test_a_line_of_a_service_is_readable(line: str, shown: str) -> None:
    assert readable(line) == shown


def test_a_connection_is_asked_for_field_by_field() -> None:
    app = typer.Typer()
    app.command()(lambda: typer.echo(json.dumps(ask_for("slack"))))
    ran = CliRunner().invoke(app, input="\nxoxb-1\n\n")
    assert json.loads(ran.stdout.splitlines()[-1]) == {"kind": "slack", "settings": {"token": "xoxb-1"}}
    assert "xoxb" not in ran.stderr


def test_what_has_many_lines_is_not_asked_for() -> None:
    app = typer.Typer()
    app.command()(lambda: typer.echo(json.dumps(ask_for("http"))))
    ran = CliRunner().invoke(app, input="https://api.example.com" + "\n" * 30)
    settings = json.loads(ran.stdout.splitlines()[-1])["settings"]
    assert settings == {"base_url": "https://api.example.com"}
    assert "oauth_client_secret" in ran.stderr
    assert not [name for name in ("ca_certificate", "client_key (", "headers") if name in ran.stderr]
