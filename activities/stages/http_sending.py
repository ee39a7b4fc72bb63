"""Sends a request as its connection says: with its TLS, and with an access token if it has those."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx

from activities.stages.exchange import Answer, Limits, exchange, origin_of, web_url
from activities.stages.http_connection import HttpConnection
from activities.stages.kind import StageError
from activities.stages.oauth import TOKENS, Grant, Token
from activities.stages.tls import tls_context

TOKEN_LIMIT = 100_000  # bytes of an answer with a token
TOKEN_TIMEOUT = timedelta(seconds=30)  # longer than any server takes to make a token

Build = Callable[[str | None], httpx.Request]  # the request, from an access token


@dataclass(frozen=True)
class Sending:
    """What requests of one stage are sent with."""

    connection: HttpConnection
    limits: Limits
    conceal: Callable[[str], None]
    until: float  #: By the clock of the loop.

    def left(self) -> Limits:
        """The limits, with what is left of the time."""
        now = asyncio.get_running_loop().time()
        return replace(self.limits, timeout=timedelta(seconds=max(self.until - now, 0)))


async def send(
    build: Build, connection: HttpConnection | None, limits: Limits, conceal: Callable[[str], None]
) -> Answer:
    """The answer to a request, within the limits for all that it takes; raises `StageError`."""
    if connection is None:
        return await exchange(build(None), limits)
    elsewhere = tls_context(connection.tls.elsewhere(), is_public=True) if limits.follow_redirects else None
    limits = replace(
        limits,
        authorities=tls_context(connection.tls),
        server_name=connection.tls_server_name,
        elsewhere=elsewhere,
    )
    if connection.grant is None:
        return await exchange(build(None), limits)
    until = asyncio.get_running_loop().time() + limits.timeout.total_seconds()
    return await _with_token(build, connection.grant, Sending(connection, limits, conceal, until))


async def _with_token(build: Build, grant: Grant, sending: Sending) -> Answer:
    """The answer to a request with a token; a kept one that the server refuses is replaced once."""
    began = TOKENS.now()
    token = await _token(grant, sending)
    request = build(token.text)
    answer = await exchange(request, sending.left())
    # Behind a redirect to somebody else there was no token to refuse.
    is_own = origin_of(request.url) == origin_of(httpx.URL(answer.url))
    if answer.status != 401 or not is_own or token.since >= began:
        return answer
    token = await _token(grant, sending, refused=token)
    return await exchange(build(token.text), sending.left())


async def _token(grant: Grant, sending: Sending, refused: Token | None = None) -> Token:
    url, left = web_url(grant.token_url), sending.left().timeout.total_seconds()
    try:
        async with asyncio.timeout(left):
            token = await TOKENS.get(grant, _token_limits(url, sending), refused)
    except TimeoutError:
        raise StageError("timeout", f"{url.host} did not answer in time", retryable=True) from None
    sending.conceal(token.text)
    return token


def _token_limits(url: httpx.URL, sending: Sending) -> Limits:
    # Others may wait for the same token: it is not this stage's time that limits the fetch.
    limits = replace(
        sending.limits, timeout=TOKEN_TIMEOUT, max_bytes=TOKEN_LIMIT, elsewhere=None, follow_redirects=False
    )
    connection = sending.connection
    if origin_of(url) == origin_of(web_url(connection.base_url)):
        return limits
    elsewhere = tls_context(connection.tls.elsewhere(), is_public=True)
    return replace(limits, authorities=elsewhere, server_name=None)
