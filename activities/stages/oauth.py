"""Access tokens by client credentials (OAuth 2, RFC 6749 section 4.4), kept until they expire.

TOKENS holds those of this process, by the credentials that they were given for: changed credentials never
meet an old token. Stages that need the same one at the same time fetch it once.
"""

import re
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

import httpx
from pydantic import JsonValue, SecretStr

from activities.joining import Joined
from activities.stages.body import body_value
from activities.stages.exchange import Answer, Limits, exchange, web_url
from activities.stages.kind import StageError

MOST_KEPT = 1000  # tokens, of a few kilobytes
LIFETIME = 300.0  # seconds, of a token that does not say how long it lives
MARGIN = 30.0  # seconds before its end in which a token is not used any more; at most a tenth of its life

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")  # what an Authorization header can carry
_REASON = re.compile(
    r"[a-z][a-z_]{0,63}"
)  # `invalid_client` and its like; anything else might quote a secret


@dataclass(frozen=True)
class Grant:
    """The credentials to get a token for, and what it is to be good for."""

    token_url: str
    client_id: str
    client_secret: SecretStr
    is_in_body: bool = False  #: Where the credentials stand: in the body, or in a header.
    parameters: tuple[tuple[str, str], ...] = ()  #: `scope`, `audience`, …


@dataclass(frozen=True)
class Token:
    """An access token."""

    text: str = field(repr=False)
    since: float
    until: float


class Tokens:
    """Tokens that were obtained, the latest used last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST_KEPT) -> None:
        self._clock = clock
        self._most = most
        self._kept: OrderedDict[Grant, Token] = OrderedDict()
        self._fetches: Joined[Token] = Joined()

    def __len__(self) -> int:
        return len(self._kept)

    def now(self) -> float:
        """The time that tokens are measured by."""
        return self._clock()

    async def get(self, grant: Grant, limits: Limits, refused: Token | None = None) -> Token:
        """A token, other than one that was refused; raises `StageError`."""
        token = self._kept.get(grant)
        if token is not None and token != refused and self._clock() < token.until:
            self._kept.move_to_end(grant)
            return token
        # Whoever waits last ends the fetch by giving up.
        return await self._fetches.run(grant, lambda: self._fetch(grant, limits), lambda: True)

    async def _fetch(self, grant: Grant, limits: Limits) -> Token:
        asked = self._clock()  # Its life may have begun right then.
        answer = await exchange(_request(grant), limits)
        text, lifetime = _read(answer)
        token = Token(text, asked, asked + lifetime - min(MARGIN, lifetime / 10))
        self._kept[grant] = token
        self._kept.move_to_end(grant)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return token


TOKENS = Tokens()


def _request(grant: Grant) -> httpx.Request:
    fields = [("grant_type", "client_credentials"), *grant.parameters]
    headers = {
        "accept": "application/json",
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "cronny",
    }
    secret = grant.client_secret.get_secret_value()
    if grant.is_in_body:
        fields += [("client_id", grant.client_id), ("client_secret", secret)]
    else:  # RFC 6749, section 2.3.1: each is encoded as in a form first.
        pair = f"{quote_plus(grant.client_id)}:{quote_plus(secret)}"
        headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return httpx.Request(
        "POST", web_url(grant.token_url), headers=headers, content=urlencode(fields).encode()
    )


def _read(answer: Answer) -> tuple[str, float]:
    """The token and its lifetime in seconds."""
    body = body_value(answer.content, answer.content_type, answer.charset)
    fields = body if isinstance(body, dict) else {}
    if not 200 <= answer.status < 300:
        raise _refusal(answer, fields)
    token, kind = fields.get("access_token"), fields.get("token_type", "bearer")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or str(kind).lower() != "bearer":
        raise _failure("auth", f"{_host(answer)} gave no bearer token")
    return token, _lifetime(fields.get("expires_in"))


def _lifetime(value: JsonValue) -> float:
    try:
        return max(float(str(value)), 0.0)  # Some send it as a text.
    except ValueError:
        return LIFETIME


def _refusal(answer: Answer, fields: dict[str, JsonValue]) -> StageError:
    reason = str(fields.get("error", ""))
    said = f": {reason}" if _REASON.fullmatch(reason) else ""
    text = f"{_host(answer)} answered {answer.status} instead of a token{said}"
    if answer.status == 429:
        return StageError("rate_limited", text, retryable=True, retry_after=answer.retry_after)
    if answer.status >= 500:
        return StageError("connection", text, retryable=True, retry_after=answer.retry_after)
    return _failure("auth", text)


def _failure(code: str, message: str) -> StageError:
    return StageError(code, message, retryable=False)


def _host(answer: Answer) -> str:
    return httpx.URL(answer.url).host
