"""`cronny triggers output`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cronny.cli.downloads import save, size_text
from cronny.errors import SettingsError, Unavailable
from tests.cli.command import Ran
from tests.servers import http
from tests.servers.http import Reply

Ask = Callable[..., Ran]
SIZE = 300_000
ACTION = """version: 1
name: bulky
stages:
  - {id: make, uses: code, with: {language: python, source: '"x" * 300000'}}
  - {id: each, uses: set, foreach: [1, 2], with: {values: {n: "${{ item }}"}}}
outputs: {text: "${{ stages.make.output }}"}
"""


@pytest.fixture
def trigger(ask: Ask, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a trigger that has ended."""
    file = tmp_path_factory.mktemp("bulky") / "bulky.yaml"
    file.write_text(ACTION)
    ask("apply", "-f", file)
    return str(json.loads(ask("actions", "run", "bulky", "--wait", "--json").out)["id"])


def test_a_large_value_is_shown_with_the_command_that_gets_it(ask: Ask, trigger: str) -> None:
    out = ask("triggers", "show", trigger).out
    assert f"300.0 kB of JSON: cronny triggers output {trigger} make" in out
    assert f"300.0 kB of JSON: cronny triggers output {trigger}" in [
        line.rstrip()[-69:] for line in out.splitlines()
    ]


def test_it_goes_to_standard_output(ask: Ask, trigger: str) -> None:
    ran = ask("triggers", "output", trigger)
    assert (ran.code, json.loads(ran.out)) == (0, {"text": "x" * SIZE})


def test_it_goes_to_a_file(ask: Ask, trigger: str, tmp_path: Path) -> None:
    ran = ask("triggers", "output", trigger, "make", "-o", tmp_path / "made.json")
    assert (ran.code, ran.out) == (0, "")
    assert json.loads((tmp_path / "made.json").read_text()) == "x" * SIZE
    assert [path.name for path in tmp_path.iterdir()] == ["made.json"]


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (("each",), [{"n": 1}, {"n": 2}]),
        (("each", "--item", "1"), {"n": 2}),
        (("each", "--item", "1", "--input"), {"values": {"n": 2}}),
    ],
)
def test_small_values_are_had_in_the_same_way(
    ask: Ask, trigger: str, words: tuple[str, ...], value: object
) -> None:
    assert json.loads(ask("triggers", "output", trigger, *words).out) == value


@pytest.mark.parametrize("words", [("nobody",), ("each", "--item", "9"), ("--item", "1"), ("--input",)])
def test_what_is_not_there_is_refused_in_a_line(ask: Ask, trigger: str, words: tuple[str, ...]) -> None:
    ran = ask("triggers", "output", trigger, *words)
    assert (ran.code != 0, ran.out, ran.err.count("\n")) == (True, "", 1)


def test_a_file_that_cannot_be_written_is_refused(ask: Ask, trigger: str, tmp_path: Path) -> None:
    ran = ask("triggers", "output", trigger, "-o", tmp_path / "no" / "made.json")
    assert (ran.code != 0, "No such file" in ran.err) == (True, True)


def test_a_value_that_breaks_off_leaves_no_file(ask: Ask, tmp_path: Path) -> None:
    with http.running() as server:
        server.answer("/v1/triggers/trg_1/outputs", Reply(body=b'"xxxxxx"', cut=3))
        ran = ask("triggers", "output", "trg_1", "-o", tmp_path / "x", "--url", server.url, "--key", "cny_x")
    assert ran.code != 0
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_there_stays_when_its_successor_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "made.json").write_text("old")

    def pieces() -> Iterator[tuple[bytes, int]]:
        yield b"new", 100
        raise Unavailable("broken")

    with pytest.raises(Unavailable):
        save(pieces(), tmp_path / "made.json")
    assert (tmp_path / "made.json").read_text() == "old"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Is a directory"):
        save([(b"x", 1)], tmp_path)


@pytest.mark.parametrize(
    ("size", "text"),
    [(12, "12 B"), (999, "999 B"), (1000, "1.0 kB"), (300_002, "300.0 kB"), (16e6, "16.0 MB")],
)
def test_sizes_are_for_people(size: int, text: str) -> None:
    assert size_text(int(size)) == text
