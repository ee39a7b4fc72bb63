"""The kind `slack`: a message, by incoming webhook or by bot token.

The requests are made here and not by slack_sdk: its asynchronous client needs aiohttp, its other one blocks
and finds proxies in the environment; neither can be made to pass the egress guard. Its models check blocks.
"""

import re
from datetime import timedelta

import httpx
from pydantic import Field, JsonValue, SecretStr, field_validator, model_validator

from activities.stages.body import body_value
from activities.stages.exchange import Answer, Limits, exchange, web_url
from activities.stages.kind import Block, ConnectionContext, Kind, StageContext, StageError
from activities.stages.payload import json_bytes
from activities.stages.slack_message import SlackWith, check_message, fields_of

ANSWER_LIMIT = 1_000_000  # bytes; an answer repeats the message.
PAUSE = timedelta(seconds=30)  # when Slack asks for fewer messages without saying how long.

# https://docs.slack.dev/reference/methods/chat.postMessage#errors
# https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
REFUSED = frozenset(
    (
        "access_denied",
        "account_inactive",
        "action_prohibited",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_auth",
        "invalid_token",
        "missing_scope",
        "no_permission",
        "no_service",
        "no_service_id",
        "no_team",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "team_disabled",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
    )
)
BUSY = frozenset(("message_limit_exceeded", "rate_limited", "ratelimited"))
PASSING = frozenset(
    ("fatal_error", "internal_error", "request_timeout", "rollup_error", "service_unavailable")
)
# A webhook answers one of these to a message without content: it is there, and nothing was posted.
EMPTY = frozenset(("invalid_payload", "missing_text_or_fallback_or_attachments", "no_text"))
_REASON = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


class SlackConnection(Block):
    """How to reach a Slack workspace: an incoming webhook or a bot token."""

    webhook_url: SecretStr | None = Field(None, description="An incoming webhook.")
    token: SecretStr | None = Field(None, description="A bot token with `chat:write`.")
    base_url: str = Field("https://slack.com/api", description="Where the token is used.")

    @field_validator("webhook_url")
    @classmethod
    def _is_web_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            _webhook(url)
        return url

    @model_validator(mode="after")
    def _is_one(self) -> "SlackConnection":
        if (self.webhook_url is None) == (self.token is None):
            raise ValueError("give either webhook_url or token")
        return self


Context = StageContext[SlackWith, SlackConnection]


async def run(context: Context) -> JsonValue:
    """The `ts` and `channel` of the message; None for both when a webhook sent it."""
    _check(context.with_, context.connection)
    request = _request(context.with_, context.connection)
    answer = await exchange(request, Limits(context.egress, context.timeout, ANSWER_LIMIT))
    if answer.status == 429:
        raise StageError(
            "rate_limited", "Slack asks to wait", retryable=True, retry_after=answer.retry_after or PAUSE
        )
    if context.connection.token is None:
        return _sent_by_webhook(answer)
    return _sent_by_token(answer)


async def check_connection(context: ConnectionContext[SlackConnection]) -> str:
    """Ask Slack who the token is; or send the webhook a message without content, which it refuses."""
    limits = Limits(context.egress, context.timeout, ANSWER_LIMIT)
    connection = context.connection
    request = _posted(*_target(connection, "auth.test"), {})
    answer = await exchange(request, limits)
    if answer.status == 429:
        raise StageError("rate_limited", "Slack asks to wait", retryable=True, retry_after=answer.retry_after)
    if connection.token is None:
        reason = answer.content[:200].decode(errors="replace").strip()
        if reason in EMPTY:
            return "the webhook is there"
        raise _refusal(answer, reason)
    body = body_value(answer.content, answer.content_type, answer.charset)
    if not isinstance(body, dict) or body.get("ok") is not True:
        raise _refusal(answer, str(body.get("error", "")) if isinstance(body, dict) else "")
    return f"the token is {body.get('user')}'s, of the workspace {body.get('team')}"


def _check(message: SlackWith, connection: SlackConnection) -> None:
    if connection.token is None and message.update:
        problem = "a webhook cannot change messages; use a connection with a token"
        raise StageError("validation", problem, retryable=False)
    if connection.token is not None and not message.channel:
        raise StageError("validation", "a connection with a token needs a channel", retryable=False)
    check_message(message)


def _request(message: SlackWith, connection: SlackConnection) -> httpx.Request:
    method = "chat.update" if message.update else "chat.postMessage"
    return _posted(*_target(connection, method), fields_of(message))


def _target(connection: SlackConnection, method: str) -> tuple[httpx.URL, str]:
    """Where a request goes, and its token."""
    if connection.webhook_url:
        return _webhook(connection.webhook_url), ""
    token = connection.token.get_secret_value() if connection.token else ""
    return web_url(f"{connection.base_url.rstrip('/')}/{method}"), token


def _posted(url: httpx.URL, token: str, message: dict[str, JsonValue]) -> httpx.Request:
    headers = {"content-type": "application/json; charset=utf-8", "user-agent": "cronny"}
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    try:
        return httpx.Request("POST", url, headers=headers, content=json_bytes(message))
    except ValueError as error:  # Its text would quote the token.
        raise StageError("auth", "the token has characters that no token has", retryable=False) from error


def _webhook(url: SecretStr) -> httpx.URL:
    try:
        return web_url(url.get_secret_value())
    except StageError:  # Its text may quote a part of the URL, all of which is secret.
        raise ValueError("webhook_url is not a web address") from None


def _sent_by_webhook(answer: Answer) -> JsonValue:
    text = answer.content[:200].decode(errors="replace").strip()
    if 200 <= answer.status < 300:
        if text == "ok" or answer.content_type == "application/json":
            return {"ts": None, "channel": None}
        raise _refusal(answer, "")
    raise _refusal(answer, text)


def _sent_by_token(answer: Answer) -> JsonValue:
    body = body_value(answer.content, answer.content_type, answer.charset)
    if not isinstance(body, dict):
        raise _refusal(answer, "")
    if body.get("ok") is not True:
        raise _refusal(answer, str(body.get("error", "")), body.get("response_metadata"))
    return {"ts": body.get("ts"), "channel": body.get("channel")}


def _refusal(answer: Answer, reason: str, details: JsonValue = None) -> StageError:
    if not _REASON.fullmatch(reason):  # A page of something in between, which may quote the webhook's path.
        reason = ""
    if reason in REFUSED:
        code, is_retryable = "auth", False
    elif reason in BUSY:
        code, is_retryable = "rate_limited", True
    elif reason in PASSING or answer.status >= 500 or (not reason and answer.status < 300):
        code, is_retryable = "connection", True
    else:
        code, is_retryable = "validation", False
    return StageError(
        code,
        f"Slack answered {answer.status}: {reason or 'nothing that Slack says'}",
        retryable=is_retryable,
        retry_after=answer.retry_after or (PAUSE if reason in BUSY else None),
        details={"status": answer.status, "error": reason, "response_metadata": details},
    )


SLACK = Kind(
    name="slack",
    with_model=SlackWith,
    connection="required",
    is_pure=False,
    connection_model=SlackConnection,
    run=run,
    check_connection=check_connection,
    summary="Sends a message to Slack, or changes one. Slack knows no idempotency key: where its answer was "
    "lost, a retry may post a second time.",
    example="""\
id: alert
uses: slack
connection: team_slack
with: {channel: "#ops", text: "The orders are late"}
""",
)
