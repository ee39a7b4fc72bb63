"""What the API shows of a webhook; its URL and its secret only when they are made."""

from datetime import datetime

from pydantic import Field, JsonValue

from api.views.listing import View
from api.webhook_settings import Signing, settings_of
from cronny.store.webhooks import Webhook


class WebhookView(View):
    """A webhook without its token."""

    name: str
    action: str
    inputs: dict[str, JsonValue] = Field(description="Values of inputs that the sender cannot change.")
    payload: str | None = Field(description="The input that is given the whole body.")
    signature: Signing | None = Field(description="How callers must sign.")
    rate: int = Field(description="Triggers in a minute at the most.")
    created: datetime
    updated: datetime
    rotated: datetime | None = Field(description="When it got another token.")
    used: datetime | None = Field(description="When a call last made a trigger.")
    refused: datetime | None = Field(description="When a call with the right token was last refused.")
    refusal: str = Field(description="Why that was.")


class SavedWebhook(WebhookView):
    """A webhook as it was written."""

    url: str | None = Field(description="The secret URL, of a new token: it is not shown again.")
    secret: str | None = Field(description="The secret that signs, if it was made here: not shown again.")


class Accepted(View):
    """What a call has led to."""

    trigger: str = Field(description="The id of the trigger.")
    replayed: bool = Field(description="Whether the same delivery had made it before.")


class Heard(View):
    """That a stage which waited has heard of a call."""

    accepted: bool = True


def view_webhook(webhook: Webhook) -> WebhookView:
    """A webhook as it may be seen."""
    row, settings = webhook.row, settings_of(webhook.row)
    return WebhookView(
        name=row.name,
        action=webhook.action.name,
        inputs=settings.inputs,
        payload=settings.payload,
        signature=settings.signature,
        rate=settings.rate,
        created=row.created_at,
        updated=row.updated_at,
        rotated=row.rotated_at,
        used=row.used_at,
        refused=row.refused_at,
        refusal=row.refusal,
    )
