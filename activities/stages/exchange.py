"""One HTTP exchange of a stage through the egress guard, with its limits and its errors."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from activities.stages.body import read_body
from activities.stages.kind import StageError
from cronny.egress import EgressPolicy, guarded_client
from cronny.errors import EgressDenied

REDIRECTS = 10  # as many as browsers and curl take for a loop, in order of magnitude.
LONGEST_RETRY_AFTER = timedelta(days=1)  # a server that asks for more is as good as gone.
REASON_LIMIT = 200  # characters of an error's text, which may quote what the server sent.

_FAILURES = (httpx.HTTPError, httpx.InvalidURL, OSError, EgressDenied)

# All that may follow a redirect to another origin: anything else could be a credential.
_HARMLESS = {
    "accept",
    "accept-encoding",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "user-agent",
}


@dataclass(frozen=True)
class Limits:
    """What an exchange may take and where it may go."""

    policy: EgressPolicy
    timeout: timedelta  #: For all of it, redirects included.
    max_bytes: int  #: Of the decoded body.
    authorities: ssl.SSLContext | None = None  #: TLS for the origin of the request.
    server_name: str | None = None  #: The name to verify there, if not that of the URL.
    elsewhere: ssl.SSLContext | None = None  #: TLS for other origins, to which a redirect leads.
    follow_redirects: bool = False


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]  #: Names in lower case.
    content: bytes
    charset: str
    url: str
    elapsed: timedelta

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def retry_after(self) -> timedelta | None:
        """How long the server asks to be left alone."""
        return retry_after(self.headers.get("retry-after", ""), datetime.now(UTC))


async def exchange(request: httpx.Request, limits: Limits) -> Answer:
    """Send the request and read the answer, whatever its status; raises `StageError` if there is none."""
    clock = asyncio.get_running_loop().time
    started = clock()
    async with streamed(request, limits) as response:
        content = await read_body(response, limits.max_bytes)
    return Answer(
        status=response.status_code,
        headers={name.lower(): value for name, value in response.headers.items()},
        content=content,
        charset=response.charset_encoding or "utf-8",
        url=str(response.url),
        elapsed=timedelta(seconds=clock() - started),
    )


@asynccontextmanager
async def streamed(request: httpx.Request, limits: Limits) -> AsyncIterator[httpx.Response]:
    """Send the request and give the answer with its body still to be read, which is up to the caller."""
    try:
        async with (
            asyncio.timeout(max(limits.timeout.total_seconds(), 0)),
            AsyncExitStack() as clients,
        ):
            response = await _send(clients, request, limits)
            try:
                yield response
            finally:
                await response.aclose()
                # A response and its stream hold each other, and so the request's content, until the garbage
                # collector comes by.
                response.stream = httpx.ByteStream(b"")
    except _FAILURES as error:
        raise _failure(error, request.url.host) from error


def web_url(text: str) -> httpx.URL:
    """The URL, if it is one that a stage may call."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise StageError("validation", f"not a URL: {error}", retryable=False) from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise StageError(
            "validation", "the URL must begin with http:// or https:// and a host", retryable=False
        )
    if url.port is not None and not 0 < url.port < 65536:
        raise StageError("validation", f"{url.port} is not the number of a port", retryable=False)
    if url.userinfo:
        raise StageError("validation", "credentials belong in a connection, not in the URL", retryable=False)
    return url


def retry_after(text: str, now: datetime) -> timedelta | None:
    """The delay that a `Retry-After` header asks for, given in seconds or as a date."""
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), LONGEST_RETRY_AFTER.total_seconds()))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(aware - now, timedelta()), LONGEST_RETRY_AFTER)


async def _send(clients: AsyncExitStack, request: httpx.Request, limits: Limits) -> httpx.Response:
    client = await clients.enter_async_context(guarded_client(limits.policy, verify=limits.authorities))
    if limits.server_name:
        request.extensions = {**request.extensions, "sni_hostname": limits.server_name}
    for _ in range(REDIRECTS + 1):
        try:
            response = await client.send(request, stream=True)
        except _FAILURES as error:
            raise _failure(error, request.url.host) from error
        if not limits.follow_redirects or response.next_request is None:
            return response
        await response.aclose()
        previous, request = request, response.next_request
        web_url(str(request.url))
        if origin_of(previous.url) != origin_of(request.url):
            _forget_credentials(request)
            # A client certificate is a credential, too.
            elsewhere = guarded_client(limits.policy, verify=limits.elsewhere)
            client = await clients.enter_async_context(elsewhere)
    raise StageError("validation", f"more than {REDIRECTS} redirects", retryable=False)


def _forget_credentials(request: httpx.Request) -> None:
    for name in set(request.headers) - _HARMLESS:
        del request.headers[name]
    request.extensions = {}  # The name to verify is the other server's.


def origin_of(url: httpx.URL) -> tuple[str, str, int]:
    """What credentials are for: scheme, host and port."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}[url.scheme]


def _failure(error: Exception, host: str) -> StageError:
    causes = tuple(_causes(error))
    if tls := next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None):
        return tls_failure(tls, host)
    match error:
        case EgressDenied():
            code, what, is_retryable = "egress_denied", str(error), False
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            code, what, is_retryable = "validation", f"{host}: {error}", False
        case httpx.LocalProtocolError():  # Its text quotes the header, which may be a credential.
            code, what, is_retryable = "validation", "a header of the request is not valid HTTP", False
        case httpx.RemoteProtocolError():  # Its text quotes what came, and that may quote the request.
            code, what, is_retryable = "connection", f"{host}: the answer broke off or is not HTTP", True
        case socket.gaierror():
            code, what, is_retryable = "dns", f"{host}: the name has no address", True
        case TimeoutError() | httpx.TimeoutException():
            code, what, is_retryable = "timeout", f"{host} did not answer in time", True
        case _:
            reason = str(error)[:REASON_LIMIT] or "the connection broke"
            code, what, is_retryable = "connection", f"{host}: {reason}", True
    return StageError(code, what, retryable=is_retryable)


def tls_failure(error: ssl.SSLError, host: str) -> StageError:
    """The failure of a TLS handshake; a certificate that is refused now will be refused again."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return StageError("tls", f"{host}: {error.verify_message}", retryable=False)
    return StageError("tls", f"{host}: {error.reason or 'TLS failed'}", retryable=True)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
