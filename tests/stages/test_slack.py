import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from activities.stages.kind import StageError
from activities.stages.slack import SLACK, SlackConnection
from activities.stages.slack_message import BLOCK_LIMIT, TEXT_LIMIT, check_block
from cronny.egress import EgressPolicy
from tests.servers import slack
from tests.servers.http import Reply
from tests.servers.ports import free_port
from tests.servers.slack import WEBHOOK_REFUSALS, Message, Workspace
from tests.stages.contexts import brief, failure, run

BLOCK: dict[str, JsonValue] = {"type": "section", "text": {"type": "mrkdwn", "text": "*late*"}}


def webhook(workspace: Workspace) -> dict[str, str]:
    return {"webhook_url": workspace.webhook_url}


def bot(workspace: Workspace) -> dict[str, str]:
    return {"token": workspace.token, "base_url": workspace.api_url}


async def test_a_webhook_posts_text_and_blocks(workspace: Workspace) -> None:
    output = await run(SLACK, {"text": "hällo", "blocks": [BLOCK]}, webhook(workspace))
    assert output == {"ts": None, "channel": None}
    assert workspace.messages == [Message("C00000001", workspace.messages[0].ts, "hällo", (BLOCK,))]


async def test_a_token_posts_to_a_channel(workspace: Workspace) -> None:
    output = await run(SLACK, {"channel": "#general", "text": "hello"}, bot(workspace))
    assert workspace.messages == [Message("C00000002", output["ts"], "hello")]
    assert output["channel"] == "C00000002"


async def test_a_message_is_answered_in_its_thread(workspace: Workspace) -> None:
    first = await run(SLACK, {"channel": "#ops", "text": "late"}, bot(workspace))
    fields = {"channel": "#ops", "text": "later", "thread_ts": first["ts"]}
    await run(SLACK, fields, bot(workspace))
    assert workspace.messages[1].thread_ts == first["ts"]


async def test_a_message_is_changed(workspace: Workspace) -> None:
    first = await run(SLACK, {"channel": "#ops", "text": "late"}, bot(workspace))
    fields = {"channel": first["channel"], "text": "done", "update": first["ts"]}
    assert await run(SLACK, fields, bot(workspace)) == first
    assert workspace.messages == [Message("C00000001", first["ts"], "done")]


MORE: dict[str, JsonValue] = {
    "unfurl_links": False,
    "unfurl_media": True,
    "mrkdwn": False,
    "link_names": True,
    "username": "Robot",
    "icon_emoji": ":robot_face:",
    "icon_url": "https://example.com/a.png",
    "metadata": {"event_type": "orders_late", "event_payload": {"count": 3}},
}
ATTACHMENT: dict[str, JsonValue] = {"color": "#d00", "text": "*late*", "mrkdwn_in": ["text"]}


@pytest.mark.parametrize("kind", [webhook, bot])
async def test_everything_that_is_given_is_sent(
    workspace: Workspace, kind: Callable[[Workspace], dict[str, str]]
) -> None:
    fields = {"channel": "#ops", "attachments": [ATTACHMENT], **MORE}
    await run(SLACK, fields, kind(workspace))
    (message,) = workspace.messages
    assert (message.attachments, dict(message.more)) == ((ATTACHMENT,), MORE)


async def test_nothing_else_is_sent(workspace: Workspace) -> None:
    await run(SLACK, {"text": "x"}, webhook(workspace))
    assert workspace.requests[0].json() == {"text": "x"}


async def test_markdown_is_posted(workspace: Workspace) -> None:
    await run(SLACK, {"channel": "#ops", "markdown_text": "**late**", "text": ""}, bot(workspace))
    assert workspace.messages[0].more == (("markdown_text", "**late**"),)


async def test_an_answer_is_shown_in_the_channel_as_well(workspace: Workspace) -> None:
    first = await run(SLACK, {"channel": "#ops", "text": "late"}, bot(workspace))
    fields = {"channel": "#ops", "text": "later", "thread_ts": first["ts"], "reply_broadcast": True}
    await run(SLACK, fields, bot(workspace))
    assert (workspace.messages[1].thread_ts, workspace.messages[1].more) == (
        first["ts"],
        (("reply_broadcast", True),),
    )


@pytest.mark.parametrize(("given", "left"), [({}, (ATTACHMENT,)), ({"attachments": []}, ())])
async def test_a_change_keeps_attachments_unless_they_are_removed(
    workspace: Workspace, given: dict[str, object], left: tuple[JsonValue, ...]
) -> None:
    first = await run(SLACK, {"channel": "#ops", "attachments": [ATTACHMENT]}, bot(workspace))
    change = {"channel": "#ops", "text": "done", "update": first["ts"], **given}
    await run(SLACK, change, bot(workspace))
    assert workspace.messages[0].attachments == left


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"text": ""}, "a message needs text, markdown_text, blocks or attachments"),
        ({"markdown_text": "x" * 12_001}, "markdown_text has 12001 characters, more than 12000"),
        ({"markdown_text": "x", "text": "x"}, "give either markdown_text or text and blocks"),
        ({"markdown_text": "x", "blocks": [BLOCK]}, "give either markdown_text or text and blocks"),
        ({"attachments": [{"text": "x"}] * 101}, "101 attachments, more than 100"),
        ({"text": "x", "reply_broadcast": True}, "reply_broadcast needs the thread_ts of what is answered"),
        ({"text": "x" * (TEXT_LIMIT + 1)}, "text has 40001 characters, more than 40000"),
        ({"blocks": [BLOCK] * (BLOCK_LIMIT + 1)}, "51 blocks, more than 50"),
        ({"text": "x", "update": "1.2"}, "a webhook cannot change messages; use a connection with a token"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, None),
        ({"blocks": [BLOCK, {"type": "section"}]}, None),
        ({"blocks": [{"type": "section", "text": 3}]}, None),
    ],
)
async def test_limits_are_checked_before_anything_is_sent(
    workspace: Workspace, fields: dict[str, object], message: str | None
) -> None:
    error = await failure(SLACK, fields, webhook(workspace))
    assert (error.code, error.retryable, workspace.requests) == ("validation", False, [])
    assert error.message == message or (message is None and error.message.startswith("blocks."))


async def test_the_blocks_of_attachments_are_checked(workspace: Workspace) -> None:
    attachments: list[JsonValue] = [{"text": "x"}, {"color": "#f00", "blocks": [BLOCK, {"type": "section"}]}]
    error = await failure(SLACK, {"attachments": attachments}, webhook(workspace))
    assert (error.code, error.message.split(":")[0]) == ("validation", "attachments.1.blocks.1")


@pytest.mark.parametrize(
    "fields",
    [
        {"thread_ts": "1.2"},
        {"unfurl_links": False},
        {"username": "Robot"},
        {"icon_emoji": ":robot_face:", "icon_url": "https://example.com/a.png"},
    ],
    ids="+".join,
)
async def test_what_a_change_would_not_change_is_refused(
    workspace: Workspace, fields: dict[str, object]
) -> None:
    change = {"channel": "#ops", "text": "x", "update": "1700000000.000000", **fields}
    error = await failure(SLACK, change, bot(workspace))
    message = f"{' and '.join(fields)} cannot be changed; leave it out, or post another message"
    assert (brief(error), workspace.requests) == (("validation", message, False), [])


async def test_a_token_needs_a_channel(workspace: Workspace) -> None:
    error = await failure(SLACK, {"text": "x"}, bot(workspace))
    assert brief(error) == ("validation", "a connection with a token needs a channel", False)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "divider"},
        {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}]},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "x"}}]},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
        {"type": "of_next_year", "whatever": [1, {"type": 3}]},
        {"no": "type"},
        {},
    ],
)
async def test_blocks_are_sent_as_they_were_given(workspace: Workspace, block: dict[str, object]) -> None:
    before = json.dumps(block)
    await run(SLACK, {"blocks": [block]}, webhook(workspace))
    assert [json.dumps(sent) for sent in workspace.messages[0].blocks] == [before]


TYPES = st.sampled_from(
    ["section", "header", "actions", "image", "context", "input", "rich_text", "video", "x"]
)
NAMES = st.sampled_from(["type", "text", "fields", "accessory", "elements", "element", "block_id", "label"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TYPES | st.just("plain_text"),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(NAMES, child, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300)
@given(st.dictionaries(NAMES, VALUES, max_size=4), TYPES)
def test_any_block_is_sent_or_refused(block: dict[str, JsonValue], type_: str) -> None:
    before = json.dumps(block := {**block, "type": type_})
    with suppress(StageError):
        check_block("blocks.0", block)
    assert json.dumps(block) == before


async def test_what_the_models_do_not_know_is_not_logged(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    await run(SLACK, {"blocks": [{"type": "new", "text": "private"}]}, webhook(workspace))
    assert "private" not in caplog.text


@pytest.mark.parametrize("kind", ["webhook", "token"])
async def test_slack_says_how_long_to_wait(workspace: Workspace, kind: str) -> None:
    workspace.answer("ratelimited", retry_after=7)
    connection = webhook(workspace) if kind == "webhook" else bot(workspace)
    error = await failure(SLACK, {"channel": "#ops", "text": "x"}, connection)
    assert brief(error) == ("rate_limited", "Slack asks to wait", True)
    assert (error.retry_after, workspace.messages) == (timedelta(seconds=7), [])


async def test_a_channel_takes_a_message_a_second() -> None:
    now = 0.0
    with slack.running(clock=lambda: now, burst=1) as workspace:
        await run(SLACK, {"text": "1"}, webhook(workspace))
        error = await failure(SLACK, {"text": "2"}, webhook(workspace))
        now += 1.0
        await run(SLACK, {"text": "3"}, webhook(workspace))
    assert (error.code, error.retry_after) == ("rate_limited", timedelta(seconds=1))
    assert [message.text for message in workspace.messages] == ["1", "3"]


CODES = {
    "action_prohibited": ("auth", False),
    "invalid_token": ("auth", False),
    "team_disabled": ("auth", False),
    "no_service": ("auth", False),
    "no_team": ("auth", False),
    "rollup_error": ("connection", True),
}


@pytest.mark.parametrize("reason", WEBHOOK_REFUSALS)
async def test_what_a_webhook_refuses_is_typed(workspace: Workspace, reason: str) -> None:
    workspace.answer(reason)
    error = await failure(SLACK, {"text": "x"}, webhook(workspace))
    code, retryable = CODES.get(reason, ("validation", False))
    message = f"Slack answered {WEBHOOK_REFUSALS[reason]}: {reason}"
    assert brief(error) == (code, message, retryable)


@pytest.mark.parametrize(
    ("reason", "code", "retryable"),
    [
        ("invalid_auth", "auth", False),
        ("not_authed", "auth", False),
        ("token_revoked", "auth", False),
        ("missing_scope", "auth", False),
        ("channel_not_found", "validation", False),
        ("not_in_channel", "validation", False),
        ("msg_blocks_too_long", "validation", False),
        ("message_limit_exceeded", "rate_limited", True),
        ("internal_error", "connection", True),
        ("service_unavailable", "connection", True),
        ("of_next_year", "validation", False),
    ],
)
async def test_what_the_api_refuses_is_typed(
    workspace: Workspace, reason: str, code: str, retryable: bool
) -> None:
    workspace.answer(reason)
    error = await failure(SLACK, {"channel": "#ops", "text": "x"}, bot(workspace))
    assert brief(error) == (code, f"Slack answered 200: {reason}", retryable)


async def test_a_wrong_token_an_unknown_and_an_archived_channel_are_refused(workspace: Workspace) -> None:
    wrong = {**bot(workspace), "token": "xoxb-wrong"}
    errors = [
        await failure(SLACK, {"channel": "#ops", "text": "x"}, wrong),
        await failure(SLACK, {"channel": "#nowhere", "text": "x"}, bot(workspace)),
        await failure(SLACK, {"channel": "#attic", "text": "x"}, bot(workspace)),
    ]
    reasons = [error.message.removeprefix("Slack answered 200: ") for error in errors]
    assert reasons == ["invalid_auth", "channel_not_found", "is_archived"]


@pytest.mark.parametrize(
    ("reply", "code", "retryable"),
    [
        (Reply(200, b"<html>log in to the wifi</html>"), "connection", True),
        (Reply(200, b""), "connection", True),
        (Reply(302, headers={"location": "https://example.com"}), "validation", False),
        (Reply(404, b"<html>no such page</html>"), "validation", False),
        (Reply(503, b"<html>busy</html>"), "connection", True),
        (Reply(raw=b"rubbish\r\n\r\n"), "connection", True),
        (Reply(is_silent=True), "timeout", True),
    ],
)
@pytest.mark.parametrize("kind", ["webhook", "token"])
async def test_what_is_not_slack_is_an_error(
    workspace: Workspace, kind: str, reply: Reply, code: str, retryable: bool
) -> None:
    path = slack.WEBHOOK if kind == "webhook" else "/api/chat.postMessage"
    workspace.server.answer(path, reply)
    connection = webhook(workspace) if kind == "webhook" else bot(workspace)
    limit = timedelta(milliseconds=100 if reply.is_silent else 5000)
    error = await failure(SLACK, {"channel": "#ops", "text": "x"}, connection, timeout=limit)
    assert (error.code, error.retryable) == (code, retryable)


PATH = slack.WEBHOOK.encode()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, b"The requested URL " + PATH + b" was not found"),
        Reply(404, PATH),
        Reply(302, headers={"location": slack.WEBHOOK + "/"}),
        Reply(raw=b"HTTP/1.1 " + PATH + b"\r\n\r\n"),
        Reply(is_silent=True),
    ],
)
async def test_no_error_or_log_quotes_the_webhook(workspace: Workspace, reply: Reply) -> None:
    workspace.server.answer(slack.WEBHOOK, reply)
    log: list[str] = []
    limit = timedelta(milliseconds=300)
    error = await failure(SLACK, {"text": "x"}, webhook(workspace), timeout=limit, log=log)
    assert "doubledouble" not in f"{error!r} {error.message} {error.details} {log}"


async def test_neither_a_closed_port_nor_a_closed_address_quotes_the_webhook() -> None:
    secret = f"http://127.0.0.1:{free_port()}/services/T0/B0/doubledouble"
    errors = [
        await failure(SLACK, {"text": "x"}, {"webhook_url": secret}),
        await failure(SLACK, {"text": "x"}, {"webhook_url": secret}, egress=EgressPolicy()),
    ]
    assert [error.code for error in errors] == ["connection", "egress_denied"]
    assert not any("doubledouble" in f"{error!r} {error.details}" for error in errors)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"token": "a", "webhook_url": "https://hooks.example/s3cret"},
        {"webhook_url": "https://hooks.example:s3cret/x"},
        {"webhook_url": "s3cret"},
        {"webhook_url": "ftp://hooks.example/s3cret"},
    ],
)
def test_a_connection_is_one_webhook_or_one_token(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        SlackConnection.model_validate(fields)
    assert "s3cret" not in str(caught.value.errors(include_input=False))


async def test_a_token_that_is_no_header_is_not_quoted(workspace: Workspace) -> None:
    connection = {**bot(workspace), "token": "xoxb-s3cret-é"}
    error = await failure(SLACK, {"channel": "#ops", "text": "x"}, connection)
    assert brief(error) == ("auth", "the token has characters that no token has", False)
