"""The kind `http`: one request, whose response of any status is the output."""

import re
from typing import Annotated, Literal

import httpx
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, JsonValue, Tag, model_validator

from activities.stages.body import ENCODINGS, BodyForm, body_as
from activities.stages.exchange import Answer, Limits, web_url
from activities.stages.http_body import (
    Binary,
    Body,
    Fields,
    Multipart,
    Scalar,
    bytes_of,
    form_bytes,
    pairs_of,
    parts_of,
    text_of,
)
from activities.stages.http_check import check_connection
from activities.stages.http_connection import HttpConnection
from activities.stages.http_sending import send
from activities.stages.kind import Block, Kind, StageContext, StageError
from activities.stages.payload import json_bytes

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
BODIES = ("json", "form", "multipart", "body")
RETRYABLE = {408, 425, 429}  # and 5xx: the same request may well succeed later.
# These frame the message; set by hand they would make two readers disagree on where it ends.
FRAMING = {
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_STATUS = re.compile(r"[1-5](xx|[0-9]{2})|[1-5][0-9]{2}-[1-5][0-9]{2}")


def _status_text(text: str) -> str:
    low, _, high = text.partition("-")
    if not _STATUS.fullmatch(text) or (high and low > high):
        raise ValueError("must be a status, a class or a range; such as 200, 2xx or 200-204")
    return text


Status = Annotated[int, Field(ge=100, le=599)] | Annotated[str, AfterValidator(_status_text)]
Statuses = Annotated[
    Annotated[Status, Tag("(one)")] | Annotated[list[Status], Field(min_length=1), Tag("(list)")],
    Discriminator(lambda value: "(list)" if isinstance(value, list) else "(one)"),
]


class HttpWith(Block):
    """The `with:` block of `http`."""

    method: Annotated[Method, BeforeValidator(lambda value: str(value).upper())] = Field(
        "GET", description="The request's method, in any case.", json_schema_extra={"x-any-case": True}
    )
    url: str = Field(description="The address; with a connection, also a path below its `base_url`.")
    headers: dict[str, Scalar] = Field(
        {},
        description="Headers besides those of the connection. `Idempotency-Key` is sent unless given here, "
        "the same on every attempt.",
    )
    query: Fields = Field({}, description="Added to the URL's query.")
    json_: JsonValue = Field(None, alias="json", description="The body, sent as JSON.")
    form: Fields | None = Field(None, description="The body, sent as a form.")
    multipart: Multipart | None = Field(
        None,
        description="The body, sent as a form with files; those have their content as `text` or `base64`.",
    )
    body: Body | None = Field(
        None,
        description="The body, sent as it is; `{base64: …}` is sent as bytes, and is what binary bodies are.",
    )
    expect_status: Statuses | None = Field(
        None, description="`200`, `2xx`, `200-204` or a list of them: any other status fails the stage."
    )
    response_as: BodyForm = Field(
        "auto",
        description="What the output's `body` is: `json`, or the stage fails; `text`; `binary`, which is "
        "`{base64: …}`; `auto` takes JSON by its content type, else text, else bytes.",
    )
    follow_redirects: bool = Field(False, description="Follow redirects; credentials stay with their origin.")
    max_bytes: int = Field(1_000_000, ge=0, le=16_000_000, description="Limit of the response's body.")

    @model_validator(mode="after")
    def _has_one_body(self) -> "HttpWith":
        if len(self.model_fields_set & {"json_", "form", "multipart", "body"}) > 1:
            raise ValueError(f"give one of {', '.join(BODIES[:-1])} and {BODIES[-1]}")
        return self


Context = StageContext[HttpWith, HttpConnection | None]


async def run(context: Context) -> JsonValue:
    """The response: its status, headers, body, final URL and how long it took."""
    fields = context.with_
    limits = Limits(
        policy=context.egress,
        timeout=context.timeout,
        max_bytes=fields.max_bytes,
        follow_redirects=fields.follow_redirects,
    )
    url = context.connection.address(fields.url) if context.connection else web_url(fields.url)
    answer = await send(
        lambda token: _request(context, url, token), context.connection, limits, context.conceal
    )
    context.log(f"{fields.method} {url.host}: {answer.status}, {len(answer.content)} bytes")
    if not _is_expected(answer.status, fields.expect_status):
        raise _unexpected(f"{fields.method} {url.copy_with(query=None, fragment=None)}", answer)
    return _output(answer, fields.response_as)


def _request(context: Context, url: httpx.URL, token: str | None) -> httpx.Request:
    fields, connection = context.with_, context.connection
    try:
        content, content_type = _content(fields)
        return httpx.Request(
            fields.method,
            _with_query(url, pairs_of(fields.query), connection.query() if connection else {}),
            headers=_headers(context, content_type, token),
            content=content,
            files=parts_of(fields.multipart) if fields.multipart else None,
        )
    except (ValueError, httpx.InvalidURL) as error:  # Characters that a header, or UTF-8, cannot carry.
        raise StageError("validation", f"the request cannot be sent: {error}", retryable=False) from error


def _with_query(url: httpx.URL, given: list[tuple[str, str]], own: dict[str, str]) -> httpx.URL:
    """The URL with what a stage and a connection add; each of them replaces what has the same name."""
    for pairs in (given, [*own.items()]):
        names = {name for name, _ in pairs}
        kept = [pair for pair in url.params.multi_items() if pair[0] not in names]
        url = url.copy_with(params=[*kept, *pairs]) if pairs else url
    return url


def _content(fields: HttpWith) -> tuple[bytes | None, str]:
    if "json_" in fields.model_fields_set:
        return json_bytes(fields.json_), "application/json"
    if fields.form is not None:
        return form_bytes(fields.form), "application/x-www-form-urlencoded"
    if fields.body is None:
        return None, ""
    media_type = (
        "application/octet-stream" if isinstance(fields.body, Binary) else "text/plain; charset=utf-8"
    )
    return bytes_of(fields.body), media_type


def _headers(context: Context, content_type: str, token: str | None) -> dict[str, str]:
    headers = {
        "accept": "*/*",
        "accept-encoding": ENCODINGS,
        "user-agent": "cronny",
        "idempotency-key": context.idempotency_key,
    }
    if content_type:
        headers["content-type"] = content_type
    headers |= {name.lower(): text_of(value) for name, value in context.with_.headers.items()}
    headers |= context.connection.fields(token) if context.connection else {}
    if framing := FRAMING & headers.keys():
        raise StageError("validation", f"the header {min(framing)} cannot be set", retryable=False)
    return headers


def _is_expected(status: int, expected: int | str | list[int | str] | None) -> bool:
    wanted = expected if isinstance(expected, list) else [expected]
    return expected is None or any(_covers(str(one), status) for one in wanted)


def _covers(wanted: str, status: int) -> bool:
    low, _, high = wanted.partition("-")
    return int(low.replace("x", "0")) <= status <= int((high or low).replace("x", "9"))


def _output(answer: Answer, form: BodyForm) -> JsonValue:
    return {
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": body_as(form, answer.content, answer.content_type, answer.charset),
        "url": answer.url,
        "elapsed_ms": round(answer.elapsed.total_seconds() * 1000),
    }


def _unexpected(what: str, answer: Answer) -> StageError:
    return StageError(
        "http.status",
        f"{what} answered {answer.status}",
        retryable=answer.status in RETRYABLE or answer.status >= 500,
        retry_after=answer.retry_after,
        details=_output(answer, "auto"),
    )


HTTP = Kind(
    name="http",
    with_model=HttpWith,
    connection="optional",
    is_pure=False,
    connection_model=HttpConnection,
    run=run,
    check_connection=check_connection,
    summary="Sends an HTTP request and gives its response.",
    example="""\
id: fetch
uses: http
with:
  url: https://api.example.com/orders
  query: {since: "${{ trigger.due }}"}
  expect_status: 2xx
retry: {max_attempts: 3, delay: 2s}
""",
)
