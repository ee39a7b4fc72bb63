"""What stages say while they run, through the whole installation."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.e2e.installation import Installation
from tests.e2e.tenant import TenantClient, stage

CANARY = "canary-7b1fd0a2c4"
# Says something and goes on until it is told to end.
BUSY = """\
version: 1
name: busy
stages:
  - id: quick
    uses: code
    with: {language: python, source: 'print("quick")'}
  - id: work
    uses: code
    with:
      language: LANGUAGE
      time_limit: 5m
      inputs: {token: "${{ secrets.token }}"}
      source: SOURCE
"""
SOURCES = {
    "python": '|\n        print("up", inputs["token"])\n        while True:\n            pass\n',
    "javascript": '|\n        console.log("up", inputs.token);\n        while (true) {}\n',
}


def put_busy(tenant: TenantClient, language: str = "python") -> None:
    tenant.http.put("/v1/secrets/token", json={"value": CANARY}).raise_for_status()
    tenant.put_action("busy", BUSY.replace("LANGUAGE", language).replace("SOURCE", SOURCES[language]))


class Events:
    """The events of a stream; `last` is the id of the latest."""

    def __init__(self, response: httpx.Response) -> None:
        self.last = ""
        self._lines = response.iter_lines()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        fields: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields:
                self.last = fields["id"]
                yield {"event": fields["event"], **json.loads(fields["data"])}

    def until_line(self, text: str) -> list[str]:
        """The lines up to one."""
        lines = []
        for event in self:
            if event["event"] == "log":
                lines.append(str(event["text"]))
            if event.get("text") == text:
                return lines
        raise AssertionError(f"the stream ended without {text!r}: {lines}")


@contextmanager
def following(tenant: TenantClient, trigger: str, last: str = "", **query: Any) -> Iterator[Events]:
    headers = {"Last-Event-ID": last} if last else {}
    path = f"/v1/triggers/{trigger}/events"
    with tenant.http.stream("GET", path, headers=headers, params=query, timeout=60) as response:
        assert response.status_code == 200, response.read()
        yield Events(response)


@pytest.mark.parametrize("language", ["python", "javascript"])
def test_lines_of_code_arrive_while_it_runs_without_its_secrets(tenant: TenantClient, language: str) -> None:
    put_busy(tenant, language)
    trigger = tenant.start("busy")["id"]
    with following(tenant, trigger) as events:
        assert events.until_line("up ***") == ["quick", "up ***"]
        assert stage(tenant.trigger(trigger), "work")["state"] == "started"
        assert tenant.http.get(f"/v1/triggers/{trigger}/log?stage=work").text == "up ***\n"
        tenant.cancel(trigger)
        kinds = [(event["event"], event.get("stage"), event["state"]) for event in events]
    assert kinds == [
        ("state", "work", "failed"), ("state", None, "cancelled"), ("end", None, "cancelled"),
    ]  # fmt: skip
    assert stage(tenant.trigger(trigger), "work")["log"] == "up ***"


def test_what_was_cut_goes_on_at_another_server(lone_installation: Installation) -> None:
    tenant = lone_installation.add_tenant("acme")
    put_busy(tenant)
    trigger = tenant.start("busy")["id"]
    with following(tenant, trigger) as events:
        events.until_line("up ***")
        lone_installation.stop("api", signal.SIGTERM)  # which does not wait for those who follow
        assert list(events) == []
    lone_installation.start("api")
    lone_installation.wait_ready()
    with following(tenant, trigger, events.last, stage="work") as rest:
        tenant.cancel(trigger)
        assert [event["event"] for event in rest] == ["state", "state", "end"]
