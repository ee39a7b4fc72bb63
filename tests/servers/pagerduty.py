"""A double of PagerDuty's Events API v2 on loopback, as https://developer.pagerduty.com/docs describes it.

with running() as pagerduty:
    connection = {"routing_key": pagerduty.routing_key, "base_url": pagerduty.url}
    pagerduty.answer(503)                  # the next request is answered so
    pagerduty.alerts                       # what was opened, in order
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from pydantic import JsonValue

from tests.servers import http
from tests.servers.http import Reply, Request, json_reply

ROUTING_KEY = "d0ub1e00000000000000000000000001"
CALL_LIMIT = 120  # in the 60 seconds that lie behind, for each routing key
SIZE_LIMIT = 512_000  # bytes
LENGTHS = {"routing_key": 32, "dedup_key": 255, "payload.summary": 1024}
SEVERITIES = ("critical", "error", "warning", "info")

Event = Mapping[str, JsonValue]


@dataclass
class Alert:
    """An alert, and the events that were applied to it."""

    key: str
    status: str = "triggered"
    events: list[Event] = field(default_factory=list)


class Pagerduty:
    """The service's address and key, and its alerts."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.server: http.Server  # set once it listens
        self.routing_key = ROUTING_KEY
        self.alerts: list[Alert] = []
        self.events: list[Event] = []  #: All that were accepted, also those that were dropped.
        self._clock = clock
        self._calls: list[float] = []
        self._answers: list[Reply] = []

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def requests(self) -> list[Request]:
        return self.server.requests

    def answer(self, status: int, body: JsonValue = None, **headers: str) -> None:
        """Answer the next request so."""
        self._answers.append(json_reply(body, status, **headers))

    def open_alert(self, key: str) -> Alert | None:
        return next((one for one in self.alerts if one.key == key and one.status != "resolved"), None)

    def reply_to(self, request: Request) -> Reply:
        if (request.method, request.path) != ("POST", "/v2/enqueue"):
            return Reply(404, b"<html>Not Found</html>", {"content-type": "text/html"})
        if self._answers:
            return self._answers.pop(0)
        now = self._clock()
        self._calls = [at for at in self._calls if at > now - 60]
        if len(self._calls) >= CALL_LIMIT:
            return _status("throttle exceeded", "Requests for this service are arriving too quickly.", 429)
        self._calls.append(now)
        event = _parsed(request)
        errors: list[JsonValue] = [*_wrong(event, len(request.body), self.routing_key)]
        if event is None or errors:
            return _status("invalid event", "Event object is invalid", 400, errors=errors)
        return self._apply(event)

    def _apply(self, event: Event) -> Reply:
        key = str(event.get("dedup_key") or uuid4().hex)
        alert = self.open_alert(key)
        if alert is None and event["event_action"] == "trigger":
            alert = Alert(key)
            self.alerts.append(alert)
        if alert is not None:
            alert.events.append(event)
            # A new trigger does not take an acknowledgement back.
            changed = {"acknowledge": "acknowledged", "resolve": "resolved"}
            alert.status = changed.get(str(event["event_action"]), alert.status)
        self.events.append(event)
        return _status("success", "Event processed", 202, dedup_key=key)


@contextmanager
def running(clock: Callable[[], float] = time.monotonic) -> Iterator[Pagerduty]:
    """A service with one integration and no alerts."""
    pagerduty = Pagerduty(clock)
    with http.running(pagerduty.reply_to) as pagerduty.server:
        yield pagerduty


def _wrong(event: Event | None, size: int, routing_key: str) -> Iterator[str]:
    if event is None:
        yield "JSON parse error"
        return
    payload = event.get("payload")
    within = payload if isinstance(payload, dict) else {}
    fields = {**event, **{f"payload.{name}": value for name, value in within.items()}}
    if size > SIZE_LIMIT:
        yield "Event is too large"
    for name, limit in LENGTHS.items():
        if len(str(fields.get(name, ""))) > limit:
            yield f"'{name}' is too long (maximum is {limit} characters)"
    if fields.get("routing_key") != routing_key:
        yield "Invalid routing key"
    action = fields.get("event_action")
    if action not in ("trigger", "acknowledge", "resolve"):
        yield "'event_action' is invalid"
    if action == "trigger":
        yield from _wrong_payload(fields)
    elif not fields.get("dedup_key"):
        yield "'dedup_key' is missing or blank"


def _wrong_payload(fields: Mapping[str, JsonValue]) -> Iterator[str]:
    for name in ("summary", "source", "severity"):
        if not fields.get(f"payload.{name}"):
            yield f"'payload.{name}' is missing or blank"
    if fields.get("payload.severity") not in SEVERITIES:
        yield "'payload.severity' is invalid (must be one of 'critical', 'warning', 'error', 'info')"
    if moment := fields.get("payload.timestamp"):
        try:
            datetime.fromisoformat(str(moment))
        except ValueError:
            yield "'payload.timestamp' is invalid"
    if not isinstance(fields.get("payload.custom_details", {}), dict):
        yield "'payload.custom_details' is invalid"
    yield from _wrong_context(fields)


def _wrong_context(fields: Mapping[str, JsonValue]) -> Iterator[str]:
    for name, required in (("images", "src"), ("links", "href")):
        items = fields.get(name, [])
        if not isinstance(items, list) or not all(
            isinstance(one, dict) and one.get(required) for one in items
        ):
            yield f"'{name}' is invalid"


def _parsed(request: Request) -> Event | None:
    try:
        value = request.json()
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _status(status: str, message: str, code: int, **more: JsonValue) -> Reply:
    return json_reply({"status": status, "message": message, **more}, code)
