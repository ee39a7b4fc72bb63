"""A Slack message: what it may hold, and what is checked of it before it is sent.

https://docs.slack.dev/reference/methods/chat.postMessage
"""

import logging
from collections.abc import Iterator

from pydantic import Field, JsonValue
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block as SlackBlock

from activities.stages.kind import Block, StageError

TEXT_LIMIT = 40_000  # characters; Slack cuts what is longer, silently.
MARKDOWN_LIMIT = 12_000  # characters
BLOCK_LIMIT = 50
ATTACHMENT_LIMIT = 100
CONTENTS = ("text", "markdown_text", "blocks", "attachments")
# What a message keeps from when it was posted: chat.update takes none of these.
LASTING = ("thread_ts", "unfurl_links", "unfurl_media", "mrkdwn", "username", "icon_emoji", "icon_url")
# The models log what they don't know, which is a tenant's message.
logging.getLogger("slack_sdk.models").setLevel(logging.CRITICAL)


class Metadata(Block):
    """What other apps are to read in a message."""

    event_type: str = Field(min_length=1, description="What it is about.")
    event_payload: dict[str, JsonValue] = Field(description="What there is to know about it.")


class SlackWith(Block):
    """The `with:` block of `slack`."""

    channel: str | None = Field(None, description="The channel's id or name; a webhook has its own.")
    text: str = Field("", description="The message; with blocks, what notifications show.")
    blocks: list[dict[str, JsonValue]] = Field([], description="The layout, in Block Kit; 50 at most.")
    markdown_text: str | None = Field(
        None, description="The message in Markdown, instead of text and blocks; 12000 characters at most."
    )
    attachments: list[dict[str, JsonValue]] = Field(
        [],
        description="What stands below with a coloured bar, 100 at most; those of a message that is changed "
        "stay unless given, `[]` removes them.",
    )
    thread_ts: str | None = Field(None, description="The `ts` of the message to answer in a thread.")
    reply_broadcast: bool = Field(False, description="Show the answer in the channel as well.")
    update: str | None = Field(None, description="The `ts` of the message to change; needs a token.")
    unfurl_links: bool | None = Field(None, description="Whether links show a preview of their page.")
    unfurl_media: bool | None = Field(None, description="Whether links to media show them.")
    mrkdwn: bool | None = Field(None, description="`false` leaves `*` and `_` in the text as they are.")
    link_names: bool | None = Field(None, description="Whether names of user groups become links.")
    username: str | None = Field(
        None, description="The sender's name; needs `chat:write.customize`, and an app's webhook ignores it."
    )
    icon_emoji: str | None = Field(
        None, description="The sender's picture, such as `:robot_face:`; likewise."
    )
    icon_url: str | None = Field(None, description="The address of the sender's picture; likewise.")
    metadata: Metadata | None = Field(None, description="What other apps are to read in the message.")


def check_message(message: SlackWith) -> None:
    """Raise `StageError` for a message that Slack would refuse, cut, or take otherwise than it was meant."""
    problem = next(_problems(message), None)
    if problem:
        raise StageError("validation", problem, retryable=False)
    _check_blocks("blocks", message.blocks)
    for index, attachment in enumerate(message.attachments):
        blocks = attachment.get("blocks")
        _check_blocks(f"attachments.{index}.blocks", blocks if isinstance(blocks, list) else [])


def fields_of(message: SlackWith) -> dict[str, JsonValue]:
    """What is sent of a message: all that was given."""
    unsent = {"update"} if message.text else {"update", "text"}
    fields = message.model_dump(exclude=unsent, exclude_unset=True, exclude_none=True)
    return fields | ({"ts": message.update} if message.update else {})


def check_block(place: str, block: dict[str, JsonValue]) -> None:
    """Raise StageError if Slack would refuse this block for its size or for what it lacks."""
    try:
        parsed = SlackBlock.parse(block)
        if parsed is not None:
            parsed.validate_json()
    except SlackObjectFormationError as error:
        raise StageError("validation", f"{place}: {error}", retryable=False) from error
    except (TypeError, ValueError, AttributeError, LookupError):
        return  # A shape that the models don't know; Slack itself judges it.


def _check_blocks(place: str, blocks: list[JsonValue] | list[dict[str, JsonValue]]) -> None:
    for index, block in enumerate(blocks):
        if isinstance(block, dict):
            check_block(f"{place}.{index}", block)


def _problems(message: SlackWith) -> Iterator[str]:
    if not any(getattr(message, name) for name in CONTENTS):
        yield "a message needs text, markdown_text, blocks or attachments"
    if message.markdown_text and (message.text or message.blocks):
        yield "give either markdown_text or text and blocks"
    yield from _excesses(message)
    if message.reply_broadcast and not (message.thread_ts or message.update):
        yield "reply_broadcast needs the thread_ts of what is answered"
    if message.update and (kept := [name for name in LASTING if getattr(message, name) is not None]):
        yield f"{' and '.join(kept)} cannot be changed; leave it out, or post another message"


def _excesses(message: SlackWith) -> Iterator[str]:
    for name, text, limit in (
        ("text", message.text, TEXT_LIMIT),
        ("markdown_text", message.markdown_text or "", MARKDOWN_LIMIT),
    ):
        if len(text) > limit:
            yield f"{name} has {len(text)} characters, more than {limit}"
    for name, items, limit in (
        ("blocks", message.blocks, BLOCK_LIMIT),
        ("attachments", message.attachments, ATTACHMENT_LIMIT),
    ):
        if len(items) > limit:
            yield f"{len(items)} {name}, more than {limit}"
