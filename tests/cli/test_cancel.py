"""Cancelling triggers, and their items, on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Ran
from tests.e2e.tenant import until

Ask = Callable[..., Ran]

EACH = """version: 1
name: each_word
stages: [{id: all, uses: set, foreach: [one, two], with: {values: {word: "${{ item }}"}}}]
"""
LONG = """version: 1
name: much_later
stages: [{id: all, uses: wait, with: {for: 1h}}]
"""


@pytest.fixture
def apply(ask: Ask, tmp_path: Path) -> Callable[[str], None]:
    """Uploads an action."""

    def apply(text: str) -> None:
        file = tmp_path / "action.yaml"
        file.write_text(text)
        assert ask("apply", "-f", file).code == 0

    return apply


def test_the_items_of_a_stage_are_listed(ask: Ask, apply: Callable[[str], None]) -> None:
    apply(EACH)
    trigger = json.loads(ask("actions", "run", "each_word", "--wait", "--json").out)["id"]
    assert "(2/2)" in ask("triggers", "show", trigger).out
    listed = ask("triggers", "items", trigger, "all").out
    assert [word in listed for word in ("one", "two", "completed")] == [True] * 3
    assert len(json.loads(ask("triggers", "items", trigger, "all", "-n", "1", "--json").out)) == 1


def test_a_trigger_is_cancelled_once(ask: Ask, apply: Callable[[str], None]) -> None:
    apply(LONG)
    trigger = json.loads(ask("actions", "run", "much_later", "--json").out)["id"]
    until(lambda: ask("triggers", "show", trigger).out, lambda shown: "executing" in shown)
    assert "is being cancelled" in ask("triggers", "cancel", trigger, "--note", "enough").out
    until(lambda: ask("triggers", "show", trigger).out, lambda shown: "cancelled" in shown)
    refused = ask("triggers", "cancel", trigger, "--force")
    assert (refused.code, "has ended already" in refused.err) == (1, True)
