"""The kind `http`: one request, whose response of any status is the output."""

import json
from base64 import b64encode
from typing import Annotated, Literal
from urllib.parse import urlencode

import httpx
from pydantic import BeforeValidator, Field, JsonValue, SecretStr, model_validator

from activities.stages.body import ENCODINGS, body_value
from activities.stages.exchange import Answer, Limits, exchange, trusting, web_url
from activities.stages.kind import Block, ConnectionContext, Kind, StageContext, StageError

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
Scalar = str | int | float | bool
Status = Annotated[int, Field(ge=100, le=599)] | Annotated[str, Field(pattern=r"^[1-5](xx|[0-9]{2})$")]

CHECK_LIMIT = 16_000_000  # bytes of an answer that a test reads; a page may be large
NO_HEAD = {405, 501}  # of servers that only know GET
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


class HttpWith(Block):
    """The `with:` block of `http`."""

    method: Annotated[Method, BeforeValidator(lambda value: str(value).upper())] = Field(
        "GET", description="The request's method, in any case."
    )
    url: str = Field(description="The address; with a connection, also a path below its `base_url`.")
    headers: dict[str, Scalar] = Field({}, description="Headers besides those of the connection.")
    query: dict[str, Scalar | list[Scalar] | None] = Field({}, description="Added to the URL's query.")
    json_: JsonValue = Field(None, alias="json", description="The body, sent as JSON.")
    form: dict[str, Scalar] | None = Field(None, description="The body, sent as a form.")
    body: str | None = Field(None, description="The body, sent as it is.")
    expect_status: Status | Annotated[list[Status], Field(min_length=1)] | None = Field(
        None, description="`200`, `2xx` or a list of them: any other status fails the stage."
    )
    follow_redirects: bool = Field(False, description="Follow redirects; credentials stay with their origin.")
    max_bytes: int = Field(1_000_000, ge=0, le=16_000_000, description="Limit of the response's body.")

    @model_validator(mode="after")
    def _has_one_body(self) -> "HttpWith":
        if len(self.model_fields_set & {"json_", "form", "body"}) > 1:
            raise ValueError("give one of json, form and body")
        return self


class HttpConnection(Block):
    """A server and the credentials for it, which are sent to no other."""

    base_url: str = Field(pattern=r"^https?://[^?#]+$", description="What the `url` of a stage is below.")
    headers: dict[str, str] = Field({}, description="Headers of every request; not kept secret.")
    token: SecretStr | None = Field(None, description="A bearer token.")
    username: str | None = Field(None, description="For basic authentication.")
    password: SecretStr | None = Field(None, description="For basic authentication.")
    api_key: SecretStr | None = Field(None, description="Sent in the header `api_key_header`.")
    api_key_header: str = Field("X-API-Key", description="The name of that header.")
    ca_certificate: str | None = Field(
        None, description="The authority to trust, in PEM, if not a public one."
    )


Context = StageContext[HttpWith, HttpConnection | None]


async def run(context: Context) -> JsonValue:
    """The response: its status, headers, body, final URL and how long it took."""
    fields, connection = context.with_, context.connection
    certificate = connection.ca_certificate if connection else None
    limits = Limits(
        policy=context.egress,
        timeout=context.timeout,
        max_bytes=fields.max_bytes,
        authorities=trusting(certificate) if certificate else None,
        follow_redirects=fields.follow_redirects,
    )
    request = _request(context)
    answer = await exchange(request, limits)
    output = _output(answer)
    context.log(f"{fields.method} {request.url.host}: {answer.status}, {len(answer.content)} bytes")
    if not _is_expected(answer.status, fields.expect_status):
        raise _unexpected(request, answer, output)
    return output


async def check_connection(context: ConnectionContext[HttpConnection]) -> str:
    """Ask for the head of the base URL: a status that no credentials cause is good enough."""
    connection = context.connection
    certificate = connection.ca_certificate
    authorities = trusting(certificate) if certificate else None
    limits = Limits(context.egress, context.timeout, CHECK_LIMIT, authorities)
    answer = await exchange(_probe(connection, "HEAD"), limits)
    if answer.status in NO_HEAD:
        answer = await exchange(_probe(connection, "GET"), limits)
    host = web_url(connection.base_url).host
    if answer.status in (401, 403, 407):
        raise StageError("auth", f"{host} answered {answer.status} to the credentials", retryable=False)
    if answer.status >= 500:
        raise StageError("http.status", f"{host} answered {answer.status}", retryable=True)
    return f"{host} answered {answer.status}"


def _probe(connection: HttpConnection, method: str) -> httpx.Request:
    headers = {"accept": "*/*", "accept-encoding": ENCODINGS, "user-agent": "cronny"}
    try:
        return httpx.Request(
            method, web_url(connection.base_url), headers={**headers, **_credentials(connection)}
        )
    except ValueError as error:  # Its text would quote the credential.
        raise StageError("auth", "a credential has characters that no header has", retryable=False) from error


def _request(context: Context) -> httpx.Request:
    fields = context.with_
    url = _url(fields.url, context.connection)
    try:
        content, content_type = _content(fields)
        return httpx.Request(
            fields.method,
            url.copy_merge_params(_query(fields)) if fields.query else url,
            headers=_headers(context, content_type),
            content=content,
        )
    except (ValueError, httpx.InvalidURL) as error:  # Characters that a header, or UTF-8, cannot carry.
        raise StageError("validation", f"the request cannot be sent: {error}", retryable=False) from error


def _url(text: str, connection: HttpConnection | None) -> httpx.URL:
    if connection is None:
        return web_url(text)
    root = web_url(connection.base_url)
    if not text.lower().startswith(("http:", "https:")):
        return web_url(f"{connection.base_url.rstrip('/')}/{text.lstrip('/')}")
    url = web_url(text)
    if (url.scheme, url.netloc) != (root.scheme, root.netloc):
        message = f"the connection is for {root.host}, not for {url.host}: give a path, or no connection"
        raise StageError("validation", message, retryable=False)
    return url


def _query(fields: HttpWith) -> dict[str, str | list[str]]:
    return {
        name: [_text(item) for item in value] if isinstance(value, list) else _text(value)
        for name, value in fields.query.items()
        if value is not None
    }


def _content(fields: HttpWith) -> tuple[bytes | None, str]:
    if "json_" in fields.model_fields_set:
        return json.dumps(fields.json_, ensure_ascii=False, allow_nan=False).encode(), "application/json"
    if fields.form is not None:
        pairs = {name: _text(value) for name, value in fields.form.items()}
        return urlencode(pairs).encode(), "application/x-www-form-urlencoded"
    return (None, "") if fields.body is None else (fields.body.encode(), "text/plain; charset=utf-8")


def _headers(context: Context, content_type: str) -> dict[str, str]:
    headers = {
        "accept": "*/*",
        "accept-encoding": ENCODINGS,
        "user-agent": "cronny",
        "idempotency-key": context.idempotency_key,
    }
    if content_type:
        headers["content-type"] = content_type
    headers |= {name.lower(): _text(value) for name, value in context.with_.headers.items()}
    headers |= _credentials(context.connection)
    if framing := FRAMING & headers.keys():
        raise StageError("validation", f"the header {min(framing)} cannot be set", retryable=False)
    return headers


def _credentials(connection: HttpConnection | None) -> dict[str, str]:
    if connection is None:
        return {}
    headers = {name.lower(): value for name, value in connection.headers.items()}
    if connection.api_key:
        headers[connection.api_key_header.lower()] = connection.api_key.get_secret_value()
    if connection.token:
        headers["authorization"] = f"Bearer {connection.token.get_secret_value()}"
    elif connection.username is not None:
        password = connection.password.get_secret_value() if connection.password else ""
        pair = f"{connection.username}:{password}".encode()
        headers["authorization"] = f"Basic {b64encode(pair).decode()}"
    return headers


def _text(value: Scalar | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_expected(status: int, expected: int | str | list[int | str] | None) -> bool:
    if expected is None:
        return True
    wanted = expected if isinstance(expected, list) else [expected]
    return any(str(status) == str(one) or f"{status // 100}xx" == one for one in wanted)


def _output(answer: Answer) -> JsonValue:
    return {
        "status": answer.status,
        "headers": dict(answer.headers),
        "body": body_value(answer.content, answer.content_type, answer.charset),
        "url": answer.url,
        "elapsed_ms": round(answer.elapsed.total_seconds() * 1000),
    }


def _unexpected(request: httpx.Request, answer: Answer, output: JsonValue) -> StageError:
    where = request.url.copy_with(query=None, fragment=None)
    return StageError(
        "http.status",
        f"{request.method} {where} answered {answer.status}",
        retryable=answer.status in RETRYABLE or answer.status >= 500,
        retry_after=answer.retry_after,
        details=output,
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
