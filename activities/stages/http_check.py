"""The test of an `http` connection: whether its server answers, and takes its credentials."""

import httpx

from activities.stages.body import ENCODINGS
from activities.stages.exchange import Limits, web_url
from activities.stages.http_connection import HttpConnection
from activities.stages.http_sending import send
from activities.stages.kind import ConnectionContext, StageError

CHECK_LIMIT = 16_000_000  # bytes of an answer that a test reads; a page may be large
NO_HEAD = {405, 501}  # of servers that only know GET


async def check_connection(context: ConnectionContext[HttpConnection]) -> str:
    """Ask for the head of the base URL: a status that no credentials cause is good enough."""
    connection, limits = context.connection, Limits(context.egress, context.timeout, CHECK_LIMIT)
    host = web_url(connection.base_url).host

    async def status_of(method: str) -> int:
        answer = await send(
            lambda token: _probe(connection, method, token), connection, limits, context.conceal
        )
        return answer.status

    status = await status_of("HEAD")
    if status in NO_HEAD:
        status = await status_of("GET")
    if status in (401, 403, 407):
        raise StageError("auth", f"{host} answered {status} to the credentials", retryable=False)
    if status >= 500:
        raise StageError("http.status", f"{host} answered {status}", retryable=True)
    return f"{host} answered {status}"


def _probe(connection: HttpConnection, method: str, token: str | None) -> httpx.Request:
    headers = {"accept": "*/*", "accept-encoding": ENCODINGS, "user-agent": "cronny"}
    url = web_url(connection.base_url)
    for name, value in connection.query().items():
        url = url.copy_set_param(name, value)
    try:
        return httpx.Request(method, url, headers={**headers, **connection.fields(token)})
    except ValueError as error:  # Its text would quote the credential.
        raise StageError("auth", "a credential has characters that no header has", retryable=False) from error
