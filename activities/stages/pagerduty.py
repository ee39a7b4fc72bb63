"""The kind `pagerduty`: an event that opens, acknowledges or resolves an alert, by Events API v2.

https://developer.pagerduty.com/docs/events-api-v2/overview
"""

from datetime import timedelta
from typing import Annotated, Literal

import httpx
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    JsonValue,
    SecretStr,
    model_validator,
)

from activities.stages.body import body_value
from activities.stages.exchange import Answer, Limits, exchange, web_url
from activities.stages.kind import Block, ConnectionContext, Kind, Origin, StageContext, StageError
from activities.stages.payload import json_bytes

KEY_LENGTH = 32  # characters of a routing key
SUMMARY_LIMIT = 1024  # characters
DEDUP_KEY_LIMIT = 255  # characters
EVENT_LIMIT = 512_000  # bytes of a whole event
ANSWER_LIMIT = 100_000  # bytes
SAID_LIMIT = 300  # characters of what PagerDuty says about an event that it refuses
PAUSE = timedelta(seconds=30)  # what PagerDuty advises after 429, where it has no Retry-After
PAYLOAD = {"summary", "severity", "source", "timestamp", "component", "group", "class_", "custom_details"}
BESIDE = {"images", "links", "client", "client_url"}


def _text_only(value: object) -> object:
    if isinstance(value, int | float):  # Both would be read as seconds since 1970.
        raise ValueError("must be a text such as 2026-11-24T09:00:00Z")
    return value


def _is_https(url: str) -> str:
    if not url.startswith("https://"):
        raise ValueError("must begin with https://; PagerDuty shows no other pictures")
    return url


class Image(Block):
    """A picture on the incident."""

    src: Annotated[str, AfterValidator(_is_https)] = Field(
        description="Its address; PagerDuty takes https only."
    )
    href: str | None = Field(None, description="Where a click on it leads.")
    alt: str | None = Field(None, description="What it shows.")


class Link(Block):
    """A link on the incident."""

    href: str = Field(min_length=1, description="Where it leads.")
    text: str | None = Field(None, description="What it is called.")


class PagerdutyWith(Block):
    """The `with:` block of `pagerduty`."""

    event: Literal["trigger", "acknowledge", "resolve"] = Field(
        "trigger",
        description="`trigger` opens an alert, or adds to the one that is open; `acknowledge` and `resolve` "
        "change the one that is open, if there is one, and use `dedup_key` only. A `resolve` behind a "
        "success ends what failures before it have opened.",
    )
    summary: str | None = Field(
        None, description="What is wrong, the alert's title; needed to trigger. Cut after 1024 characters."
    )
    severity: Literal["critical", "error", "warning", "info"] = Field("error", description="How bad it is.")
    source: str | None = Field(
        None, min_length=1, description="What is affected, such as a host; `tenant/action` unless given."
    )
    dedup_key: str | None = Field(
        None,
        min_length=1,
        max_length=DEDUP_KEY_LIMIT,
        description="Which alert it is about. Unless given it is the one of this action and schedule, in "
        "whatever stage and trigger: `cronny/tenant/action`, and `/schedule` if that has another name than "
        "the action.",
    )
    timestamp: Annotated[AwareDatetime, BeforeValidator(_text_only)] | None = Field(
        None, description="When it was noticed, with an offset; now, unless given."
    )
    component: str | None = Field(None, description="The part of the source that is broken.")
    group: str | None = Field(None, description="What the source belongs to.")
    class_: str | None = Field(None, alias="class", description="The class of the event, such as `timeout`.")
    custom_details: dict[str, JsonValue] | None = Field(
        None, description="Whatever helps; left out, with a note, from an event beyond PagerDuty's 512 KB."
    )
    images: list[Image] | None = Field(None, description="Pictures on the incident.")
    links: list[Link] | None = Field(None, description="Links on the incident.")
    client: str = Field("Cronny", description="What sent the event.")
    client_url: str | None = Field(None, description="Where that is to be found.")

    @model_validator(mode="after")
    def _says_what_is_wrong(self) -> "PagerdutyWith":
        if self.event == "trigger" and not (self.summary or "").strip():
            raise ValueError("'summary' is required to trigger an alert; say in one line what is wrong")
        return self


def _integration_key(given: SecretStr) -> SecretStr:
    key = given.get_secret_value().strip()
    if len(key) != KEY_LENGTH or not (key.isascii() and key.isalnum()):
        raise ValueError(
            "must be 32 letters and digits; it is the Integration Key of an Events API v2 integration"
        )
    return SecretStr(key)


class PagerdutyConnection(Block):
    """An integration of a PagerDuty service, of the type Events API v2."""

    routing_key: Annotated[SecretStr, AfterValidator(_integration_key)] = Field(
        description="The integration key, 32 characters."
    )
    base_url: str = Field(
        "https://events.pagerduty.com",
        pattern=r"^https?://[^?#]+$",
        description="Where the service is; `https://events.eu.pagerduty.com` in the EU.",
    )


Context = StageContext[PagerdutyWith, PagerdutyConnection]


async def run(context: Context) -> JsonValue:
    """What PagerDuty says, and the key of the alert."""
    event = _event(context)
    url = web_url(f"{context.connection.base_url.rstrip('/')}/v2/enqueue")
    headers = {"content-type": "application/json", "user-agent": "cronny"}
    request = httpx.Request("POST", url, headers=headers, content=_content(context, event))
    answer = await exchange(request, Limits(context.egress, context.timeout, ANSWER_LIMIT))
    body = body_value(answer.content, answer.content_type, answer.charset)
    key = str(event["dedup_key"])
    context.log(f"{context.with_.event} {key}: {answer.status}")
    if not 200 <= answer.status < 300 or not isinstance(body, dict):
        raise _refusal(answer, _said(body).replace(str(event["routing_key"]), "***"))
    return {"status": body.get("status"), "message": body.get("message"), "dedup_key": key}


async def check_connection(context: ConnectionContext[PagerdutyConnection]) -> str:
    """Ask the service for nothing in particular: there is no request that tests a key, only events.

    The key is not sent. That it has the form of one was checked when the connection was written.
    """
    url = web_url(context.connection.base_url)
    request = httpx.Request("HEAD", url, headers={"user-agent": "cronny"})
    answer = await exchange(request, Limits(context.egress, context.timeout, ANSWER_LIMIT))
    if answer.status >= 500:
        raise StageError("connection", f"{url.host} answered {answer.status}", retryable=True)
    way = " over TLS" if url.scheme == "https" else ", without TLS"
    return (
        f"{url.host} answers{way}, and the key has the form of one; whether PagerDuty knows it was not "
        "tested, since only an event could tell"
    )


def _event(context: Context) -> dict[str, JsonValue]:
    fields = context.with_
    event: dict[str, JsonValue] = {
        "routing_key": context.connection.routing_key.get_secret_value(),
        "event_action": fields.event,
        "dedup_key": fields.dedup_key or alert_of(context.origin),
    }
    if fields.event == "trigger":
        source = fields.source or f"{context.origin.tenant}/{context.origin.action}"
        payload = _given(fields, PAYLOAD) | {"summary": _summary(context), "source": source}
        event |= _given(fields, BESIDE) | {"payload": payload}
    return event


def alert_of(origin: Origin) -> str:
    """The key of an action's alert.

    All its triggers share it, so that a failure that goes on stays one incident and a success can resolve it.
    Schedules count apart: what is well for one region may be broken for another.
    """
    own = f"/{origin.schedule}" if origin.schedule not in {"", origin.action} else ""
    return f"cronny/{origin.tenant}/{origin.action}{own}"


def _given(fields: PagerdutyWith, names: set[str]) -> dict[str, JsonValue]:
    return fields.model_dump(mode="json", by_alias=True, exclude_none=True, include=names)


def _summary(context: Context) -> str:
    """The summary within its limit: a title that is cut still wakes somebody, an error does not."""
    text = context.with_.summary or ""
    if len(text) <= SUMMARY_LIMIT:
        return text
    context.log(f"the summary was cut from {len(text)} to {SUMMARY_LIMIT} characters")
    return text[: SUMMARY_LIMIT - 1] + "…"


def _content(context: Context, event: dict[str, JsonValue]) -> bytes:
    content, payload = json_bytes(event), event.get("payload")
    if len(content) > EVENT_LIMIT and isinstance(payload, dict) and "custom_details" in payload:
        note = (
            f"left out: the event had {len(content)} bytes, more than the {EVENT_LIMIT} that PagerDuty takes"
        )
        context.log(f"custom_details {note}")
        content = json_bytes({**event, "payload": {**payload, "custom_details": {"note": note}}})
    if len(content) > EVENT_LIMIT:
        what = f"the event has {len(content)} bytes, more than the {EVENT_LIMIT} that PagerDuty takes"
        raise StageError("validation", what, retryable=False)
    return content


def _said(body: JsonValue) -> str:
    """PagerDuty's own words, if it is PagerDuty that answered."""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    texts = [body.get("message"), *(errors if isinstance(errors, list) else ())]
    return "; ".join(text for text in texts if isinstance(text, str))[:SAID_LIMIT]


def _refusal(answer: Answer, said: str) -> StageError:
    match answer.status:
        case 429:
            code, is_retryable = "rate_limited", True
        case 401 | 403:
            code, is_retryable = "auth", False
        case status if status >= 500 or status < 300:
            code, is_retryable = "connection", True
        case _:
            code, is_retryable = "validation", False
    return StageError(
        code,
        f"PagerDuty answered {answer.status}: {said or 'nothing that PagerDuty says'}",
        retryable=is_retryable,
        retry_after=answer.retry_after or (PAUSE if answer.status == 429 else None),
        details={"status": answer.status, "message": said},
    )


PAGERDUTY = Kind(
    name="pagerduty",
    with_model=PagerdutyWith,
    connection="required",
    is_pure=False,
    connection_model=PagerdutyConnection,
    run=run,
    check_connection=check_connection,
    summary="Opens, acknowledges or resolves an alert in PagerDuty.",
    example="""\
id: page
uses: pagerduty
connection: oncall
with:
  summary: The orders are late
  severity: critical
  custom_details: {due: "${{ string(trigger.due) }}"}
retry: {max_attempts: 5, delay: 30s}
""",
)
