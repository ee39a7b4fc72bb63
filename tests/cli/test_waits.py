"""Approvals and webhooks on the command line."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.cli.command import Ran

Ask = Callable[..., Ran]

ASKING = """version: 1
name: asking
inputs: {what: {type: string, default: it}}
stages: [{id: ask, uses: approval, with: {message: "Do ${{ inputs.what }}?"}}]
outputs: {by: "${{ stages.ask.output.by }}"}
"""


@pytest.fixture
def asking(ask: Ask, tmp_path: Path) -> str:
    """An action that waits for people."""
    file = tmp_path / "asking.yaml"
    file.write_text(ASKING)
    assert ask("apply", "-f", file).code == 0
    return "asking"


def approval(ask: Ask, trigger: str) -> str:
    """The id of the approval that a trigger waits for, once it does."""
    while True:
        listed = json.loads(ask("approvals", "list", "--json").out)
        if found := [one["id"] for one in listed if one["trigger"] == trigger]:
            return str(found[0])
        time.sleep(0.2)


@pytest.mark.parametrize(("how", "state"), [("approve", "completed"), ("reject", "failed")])
def test_an_approval_is_listed_and_decided(ask: Ask, asking: str, how: str, state: str) -> None:
    trigger = json.loads(ask("actions", "run", asking, "--json").out)["id"]
    found = approval(ask, trigger)
    listed = ask("approvals", "list").out
    decided = ask("approvals", how, found, "--note", "for the test").out
    assert ("Do it?" in listed, "for the test" in decided, "0 of 1" in listed) == (True, True, True)
    assert found not in ask("approvals", "list").out
    assert "for the test" in ask("approvals", "show", found).out
    while (ended := json.loads(ask("triggers", "show", trigger, "--json").out))["state"] == "executing":
        time.sleep(0.2)
    assert ended["state"] == state


def test_an_approval_that_is_decided_says_so(ask: Ask) -> None:
    ran = ask("approvals", "approve", "wat_0")
    assert (ran.code, ran.err) == (1, "cronny: there is no approval 'wat_0'\n")


def test_a_webhook_is_set_called_rotated_and_deleted(ask: Ask, asking: str) -> None:
    saved = json.loads(ask("webhooks", "set", "hook", "--action", asking, "-i", "what=that", "--json").out)
    answer = httpx.post(saved["url"], json={})
    shown = ask("triggers", "show", answer.json()["trigger"]).out
    rotated = ask("webhooks", "rotate", "hook").out
    assert (answer.status_code, "the webhook hook" in shown, "not shown again" in rotated) == (
        202,
        True,
        True,
    )
    assert (httpx.post(saved["url"], json={}).status_code, "asking" in ask("webhooks", "list").out) == (
        404,
        True,
    )
    assert ask("webhooks", "delete", "hook").out == "hook is deleted\n"


def test_a_webhook_of_a_file_has_its_own_secret(ask: Ask, asking: str, tmp_path: Path) -> None:
    file = tmp_path / "hook.yaml"
    file.write_text("action: asking\nsignature: {scheme: slack, secret: sixteen-characters}\n")
    saved = ask("webhooks", "set", "signed", "-f", file)
    file.write_text("action: asking\nsignature: {scheme: slak}\n")
    wrong = ask("webhooks", "set", "signed", "-f", file)
    assert (saved.code, "sixteen" in saved.out, "slack" in ask("webhooks", "show", "signed").out) == (
        0,
        False,
        True,
    )
    assert (wrong.code, wrong.out.startswith(f"{file}:2:21: signature.scheme: must be")) == (1, True)
