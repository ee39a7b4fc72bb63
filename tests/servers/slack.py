"""A double of Slack's API on loopback, as https://docs.slack.dev describes it.

with running() as slack:
    connection = {"webhook_url": slack.webhook_url}                     # or
    connection = {"token": slack.token, "base_url": slack.api_url}
    slack.answer("ratelimited")            # the next request is refused so
    slack.messages                         # what was posted, in order
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pydantic import JsonValue

from tests.servers import http
from tests.servers.http import Reply, Request, json_reply

TOKEN = "xoxb-double-0123456789-abcdefghij"
WEBHOOK = "/services/T00000000/B00000000/doubledoubledoubledouble"
TEXT_LIMIT = 40_000  # characters
MARKDOWN_LIMIT = 12_000  # characters
BLOCK_LIMIT = 50
ATTACHMENT_LIMIT = 100
BURST = 20  # messages in a row that a channel takes; the documents only say "short bursts"

METADATA = {"event_type", "event_payload"}
MORE = (
    *("markdown_text", "reply_broadcast", "unfurl_links", "unfurl_media", "mrkdwn", "link_names"),
    *("username", "icon_emoji", "icon_url", "metadata"),
)

# What an incoming webhook answers when it refuses: the status of each reason.
WEBHOOK_REFUSALS = {
    "invalid_payload": 400,
    "no_text": 400,
    "too_many_attachments": 400,
    "user_not_found": 400,
    "action_prohibited": 403,
    "invalid_token": 403,
    "team_disabled": 403,
    "channel_not_found": 404,
    "no_service": 404,
    "no_team": 404,
    "channel_is_archived": 410,
    "rollup_error": 500,
}


@dataclass(frozen=True)
class Message:
    """A message in a channel."""

    channel: str
    ts: str
    text: str = ""
    blocks: tuple[JsonValue, ...] = ()
    thread_ts: str | None = None
    attachments: tuple[JsonValue, ...] = ()
    more: tuple[tuple[str, JsonValue], ...] = ()  #: All other fields that Slack knows, in order.


class Workspace:
    """The workspace's addresses and credentials, and what was posted."""

    def __init__(self, clock: Callable[[], float], burst: int) -> None:
        self.server: http.Server  # set once it listens
        self.token = TOKEN
        self.channels = {"#ops": "C00000001", "#general": "C00000002", "#attic": "C00000003"}
        self.archived = {"C00000003"}
        self.messages: list[Message] = []
        self._clock = clock
        self._burst = burst
        self._spent: dict[str, tuple[float, float]] = {}
        self._refusals: list[tuple[str, int]] = []

    @property
    def webhook_url(self) -> str:
        return self.server.url + WEBHOOK

    @property
    def api_url(self) -> str:
        return self.server.url + "/api"

    @property
    def requests(self) -> list[Request]:
        return self.server.requests

    def answer(self, *reasons: str, retry_after: int = 30) -> None:
        """Refuse the next requests for these reasons."""
        self._refusals += [(reason, retry_after) for reason in reasons]

    def wait_for(self, count: int, limit: float = 10.0) -> None:
        """Return once so many messages were posted."""
        self.server.wait_for(lambda: len(self.messages) >= count, limit)

    def reply_to(self, request: Request) -> Reply:
        if request.path.startswith("/services/"):
            return self._webhook(request)
        if request.path in ("/api/auth.test", "/api/chat.postMessage", "/api/chat.update"):
            return self._method(request)
        return json_reply({"ok": False, "error": "unknown_method"})

    def _webhook(self, request: Request) -> Reply:
        if request.path != WEBHOOK:
            return _plain("no_service")
        fields = _fields(request)
        reason, wait = self._refusal("C00000001", fields)
        if fields is None:
            reason = "invalid_payload"
        if reason == "ratelimited":
            return Reply(429, b"rate_limited", {"retry-after": str(wait)})
        if reason:
            return _plain("invalid_payload" if reason.startswith("msg_") else reason)
        self._post("C00000001", fields or {})
        return Reply(200, b"ok", {"content-type": "text/html"})

    def _method(self, request: Request) -> Reply:
        if wrong := self._stranger(request):
            return json_reply({"ok": False, "error": wrong})
        if request.path.endswith("auth.test"):
            return json_reply({"ok": True, "team": "Double", "user": "cronny", "team_id": "T00000000"})
        fields = _fields(request)
        if fields is None:
            return json_reply({"ok": False, "error": "invalid_json"})
        channel = self._channel(fields)
        reason, wait = self._refusal(channel or "", fields)
        if reason == "ratelimited":
            headers = {"retry-after": str(wait)}
            return json_reply({"ok": False, "error": reason}, 429, **headers)
        if not reason and channel is None:
            reason = "channel_not_found"
        if not reason and channel in self.archived:
            reason = "is_archived"
        if reason:
            return json_reply({"ok": False, "error": reason})
        return (
            self._change(channel, fields) if request.path.endswith("update") else self._add(channel, fields)
        )

    def _stranger(self, request: Request) -> str:
        """Why a request's token is not the workspace's."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return "not_authed"
        return "" if token == self.token else "invalid_auth"

    def _add(self, channel: str | None, fields: dict[str, JsonValue]) -> Reply:
        return _posted(self._post(str(channel), fields))

    def _change(self, channel: str | None, fields: dict[str, JsonValue]) -> Reply:
        for index, message in enumerate(self.messages):
            if (message.channel, message.ts) == (channel, fields.get("ts")):
                kept = message.attachments if "attachments" not in fields else _items(fields, "attachments")
                changed = replace(message, text=_text(fields), blocks=_items(fields, "blocks"))
                self.messages[index] = replace(changed, attachments=kept, more=_more(fields))
                return _posted(self.messages[index])
        return json_reply({"ok": False, "error": "message_not_found"})

    def _channel(self, fields: dict[str, JsonValue]) -> str | None:
        """The id of a channel given by name, with or without `#`, or by id."""
        given = str(fields.get("channel", ""))
        known = {**self.channels, **{name.lstrip("#"): id_ for name, id_ in self.channels.items()}}
        return known.get(given, given if given in self.channels.values() else None)

    def _refusal(self, channel: str, fields: dict[str, JsonValue] | None) -> tuple[str, int]:
        """The reason to refuse a message, if there is one, and how many seconds to wait."""
        if self._refusals:
            return self._refusals.pop(0)
        if reason := _mistake(fields or {}):
            return reason, 0
        return ("", 0) if self._has_room(channel) else ("ratelimited", 1)

    def _has_room(self, channel: str) -> bool:
        """A channel takes a message a second, and a short burst."""
        now = self._clock()
        level, at = self._spent.get(channel, (0.0, now))
        level = max(0.0, level - (now - at))
        if level + 1 > self._burst:
            return False
        self._spent[channel] = (level + 1, now)
        return True

    def _post(self, channel: str, fields: dict[str, JsonValue]) -> Message:
        thread = fields.get("thread_ts")
        message = Message(
            channel=channel,
            ts=f"1700000000.{len(self.messages):06}",
            text=_text(fields),
            blocks=_items(fields, "blocks"),
            thread_ts=str(thread) if thread else None,
            attachments=_items(fields, "attachments"),
            more=_more(fields),
        )
        self.messages.append(message)
        return message


@contextmanager
def running(clock: Callable[[], float] = time.monotonic, burst: int = BURST) -> Iterator[Workspace]:
    """A workspace with the channels #ops (where the webhook posts), #general and #attic (archived)."""
    workspace = Workspace(clock, burst)
    with http.running(workspace.reply_to) as workspace.server:
        yield workspace


def _text(fields: dict[str, JsonValue]) -> str:
    return str(fields.get("text") or "")


def _items(fields: dict[str, JsonValue], name: str) -> tuple[JsonValue, ...]:
    items = fields.get(name)
    return tuple(items) if isinstance(items, list) else ()


def _more(fields: dict[str, JsonValue]) -> tuple[tuple[str, JsonValue], ...]:
    return tuple((name, fields[name]) for name in MORE if name in fields)


def _mistake(fields: dict[str, JsonValue]) -> str:
    """The reason for which Slack refuses a message, if there is one."""
    markdown, metadata = str(fields.get("markdown_text", "")), fields.get("metadata")
    blocks, attachments = _items(fields, "blocks"), _items(fields, "attachments")
    mistakes = {
        "no_text": not (_text(fields) or markdown or blocks or attachments),
        "markdown_text_conflict": bool(markdown) and ("text" in fields or "blocks" in fields),
        "msg_too_long": len(_text(fields)) > TEXT_LIMIT or len(markdown) > MARKDOWN_LIMIT,
        "msg_blocks_too_long": len(blocks) > BLOCK_LIMIT,
        "too_many_attachments": len(attachments) > ATTACHMENT_LIMIT,
        "invalid_metadata_format": metadata is not None
        and not (isinstance(metadata, dict) and set(metadata) >= METADATA),
    }
    return next((reason for reason, holds in mistakes.items() if holds), "")


def _fields(request: Request) -> dict[str, JsonValue] | None:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        value = json.loads(request.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _posted(message: Message) -> Reply:
    shown: JsonValue = {"type": "message", "text": message.text, "ts": message.ts, "bot_id": "B00000000"}
    return json_reply({"ok": True, "channel": message.channel, "ts": message.ts, "message": shown})


def _plain(reason: str) -> Reply:
    return Reply(WEBHOOK_REFUSALS.get(reason, 400), reason.encode(), {"content-type": "text/html"})
