"""`cronny triggers logs`, against an instance and against a server whose connections break."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cronny.cli import live
from cronny.cli.main import run
from tests.cli.command import Ran
from tests.servers import http
from tests.servers.http import Reply, Request, json_reply

Ask = Callable[..., Ran]

ACTION = """version: 1
name: chatty
stages:
  - {id: first, uses: code, with: {language: python, source: 'print("one"); print("two")'}}
  - {id: second, uses: code, with: {language: python, source: 'print("a\\x1b[31m")'}}
"""
STREAM = {"content-type": "text/event-stream"}


@pytest.fixture
def chatty(ask: Ask, tmp_path: Path) -> str:
    """The id of a trigger that has ended."""
    file = tmp_path / "chatty.yaml"
    file.write_text(ACTION)
    ask("apply", "-f", file)
    return str(json.loads(ask("actions", "run", "chatty", "--wait", "--json").out)["id"])


def log(last: int, text: str) -> str:
    data = {"stage": "work", "item": None, "stream": None, "text": text}
    return f"id: 1;{last}\nevent: log\ndata: {json.dumps(data)}\n\n"


@pytest.mark.parametrize("flags", [(), ("--follow",)])
def test_logs_are_plain_lines_in_a_pipe(ask: Ask, chatty: str, flags: tuple[str, ...]) -> None:
    ran = ask("triggers", "logs", chatty, *flags)
    assert (ran.code, ran.out) == (0, "first | one\nfirst | two\nsecond | a [31m\n")


def test_logs_of_a_stage_as_json_are_an_object_a_line(ask: Ask, chatty: str) -> None:
    out = ask("triggers", "logs", chatty, "--stage", "first", "--json").out
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["state", "log", "log", "state", "state", "end"]
    assert (events[1]["sequence"], events[1]["text"]) == (1, "one")


def test_a_trigger_that_is_followed_is_shown_at_its_end(ask: Ask, chatty: str) -> None:
    ran = ask("triggers", "show", chatty, "--follow", "--json")
    assert (ran.code, json.loads(ran.out)["state"]) == (0, "completed")


def test_an_unknown_trigger_has_no_logs(ask: Ask) -> None:
    ran = ask("triggers", "logs", "trg_none")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)


def test_a_broken_connection_is_made_again_where_it_broke(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "AGAIN", 0)
    end = "id: e;\nevent: end\ndata: {}\n\n"

    def answer(request: Request) -> Reply:
        last = request.headers.get("last-event-id", "")
        if last == "1;1":
            return Reply(200, (log(2, "two") + end).encode(), STREAM)
        body = log(1, "one")
        return Reply(200, (body + log(2, "lost")).encode(), STREAM, cut=len(body))

    with http.running(answer) as server:
        code = run(["triggers", "logs", "trg_1", "-f", "--url", server.url, "--key", "k"])
    assert (code, capsys.readouterr().out) == (0, "work | one\nwork | two\n")


def test_what_is_no_stream_is_not_taken_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    with http.running() as server:
        server.answer("/v1/triggers/trg_1/events", json_reply({}))
        code = run(["triggers", "logs", "trg_1", "-f", "--url", server.url, "--key", "k"])
    assert (code, capsys.readouterr().err) == (1, "cronny: 127.0.0.1 does not answer as the API does\n")
