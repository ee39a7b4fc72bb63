"""Where the client commands find the API, and what they say when there is none."""

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cronny.cli.main import run

AWAY = "http://127.0.0.1:1"


class Rubbish(BaseHTTPRequestHandler):
    """A server that is no API of Cronny."""

    def do_GET(self) -> None:
        status = 500 if "actions" in self.path else 200
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def rubbish() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Rubbish)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert run(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return err


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRONNY_DATA_DIR", str(tmp_path))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "no API is known here; run `cronny up`, or give --url and --key"),
        (["--url", AWAY], f"no API key for {AWAY}; give --key or set CRONNY_API_KEY"),
        (
            ["--url", AWAY, "--key", "k"],
            f"no API at {AWAY} (connection refused); run `cronny up` to start one",
        ),
        (["--url", "ftp://x", "--key", "k"], "'ftp://x' is no URL of an API, such as http://127.0.0.1:8080"),
        (["--url", "x", "--key", "k"], "'x' is no URL of an API, such as http://127.0.0.1:8080"),
        (["--url", AWAY, "--key", "kä"], "this is no API key: it has characters that no key has"),
    ],
)
def test_an_api_that_is_not_there_is_one_line(
    flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _said(["actions", "list", *flags], capsys) == f"cronny: {said}\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [("actions", "answers 500, not as the API does"), ("schedules", "does not answer as")],
)
def test_a_server_that_is_no_api_is_one_line(
    command: str, said: str, rubbish: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in _said([command, "list", "--url", rubbish, "--key", "k"], capsys)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"CRONNY_URL": "http://127.0.0.1:2"}, "no API key for http://127.0.0.1:2"),
        ({}, f"no API at {AWAY} "),
        ({"CRONNY_URL": "http://127.0.0.1:2", "CRONNY_API_KEY": "k"}, "no API at http://127.0.0.1:2 "),
    ],
)
def test_the_key_of_the_file_goes_to_its_own_api_only(
    env: Mapping[str, str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "client.json").write_text(json.dumps({"url": AWAY, "key": "cny_known"}))
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert said in _said(["actions", "list"], capsys)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"key": 1}', "\x00"])
def test_a_broken_client_file_is_no_file(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "client.json").write_text(content)
    assert "no API is known here" in _said(["actions", "list"], capsys)


def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRONNY_API_PORT", "x")
    assert _said(["actions", "list"], capsys).startswith("cronny: api_port: ")
