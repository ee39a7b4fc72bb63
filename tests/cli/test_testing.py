"""`cronny actions test`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Ran

Ask = Callable[..., Ran]
ORDERS = """\
version: 1
name: cli_orders
inputs: {least: {type: integer, default: 1}}
stages:
  - {id: fetch, uses: http, with: {url: "https://shop.invalid"}, output: "${{ output.body }}"}
  - {id: alert, uses: http, with: {url: "https://a.invalid"}, when: stages.fetch.output.total < inputs.least}
outputs: {total: "${{ stages.fetch.output.total }}"}
"""
GIVEN = {"fetch": {"output": {"body": {"total": 3}}}}


@pytest.fixture
def rehearse(ask: Ask, tmp_path: Path) -> Callable[..., Ran]:
    """Tests the action, which is nowhere but in its file, with a case."""
    (tmp_path / "orders.yaml").write_text(ORDERS)

    def run(expect: dict[str, Any], *words: str) -> Ran:
        (tmp_path / "case.yaml").write_text(json.dumps({"given": GIVEN, "expect": expect}))
        return ask("actions", "test", tmp_path / "orders.yaml", "--case", tmp_path / "case.yaml", *words)

    return run


def test_a_case_that_comes_out_as_expected(rehearse: Callable[..., Ran]) -> None:
    expected = {"state": "completed", "stages": {"alert": "skipped"}, "outputs": {"total": 3}}
    assert rehearse(expected).code == 0


def test_what_came_out_otherwise_is_said(rehearse: Callable[..., Ran]) -> None:
    ran = rehearse({"stages": {"alert": "completed"}, "outputs": {"total": 4, "more": 1}})
    assert ran.code == 1
    said = ran.out + ran.err
    assert "stages.alert: expected completed, got skipped" in said
    assert "outputs.total: expected 4, got 3" in said
    assert "outputs.more: expected 1, got None" in said


def test_inputs_and_a_side_effect_that_nothing_stands_in_for(rehearse: Callable[..., Ran]) -> None:
    ran = rehearse({"state": "completed"}, "-i", "least=9", "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["differences"]) == (1, ["state: expected completed, got failed"])
    assert found["error"]["code"] == "not_given"


def test_a_case_that_cannot_be_read_says_where(ask: Ask, tmp_path: Path) -> None:
    case = tmp_path / "case.yaml"
    case.write_text("given:\n  fetch: {outptu: 1}\n")
    ran = ask("actions", "test", "anything", "--case", case)
    assert ran.code == 1
    assert f"{case}:2:" in ran.out + ran.err
    assert "given.fetch" in ran.out + ran.err


def test_a_file_without_a_name_is_refused(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "no.yaml").write_text("version: 1\n")
    ran = ask("actions", "test", tmp_path / "no.yaml")
    assert (ran.code, "name: is missing" in ran.out + ran.err) == (1, True)
