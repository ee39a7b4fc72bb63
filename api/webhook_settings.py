"""What a webhook is to be: its body, as it is kept, and its secrets, which are sealed."""

from datetime import timedelta
from secrets import token_urlsafe
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from api.requests import Inputs, Sent
from api.signatures import Scheme
from cronny.secrets import KeyRing
from cronny.store.webhook_tables import WebhookRow
from cronny.vault import seal_signer
from dsl.action import Span

TOKEN_PREFIX = "hook_"  # noqa: S105  # of a token, not one
LONGEST_TOLERANCE = timedelta(hours=1)
TOLERANCE = timedelta(minutes=5)

SharedSecret = Annotated[SecretStr, Field(min_length=16, max_length=200)]


def _short(span: timedelta) -> timedelta:
    if span > LONGEST_TOLERANCE:
        raise ValueError("must be at most 1h")
    return span


class SignatureRequest(Sent):
    """How callers must sign."""

    scheme: Scheme = Field(
        description="`github`: X-Hub-Signature-256; `stripe`, `slack`, `standard` (Standard Webhooks): "
        "theirs, which sign the time, too."
    )
    secret: SharedSecret | None = Field(
        None, description="What both sides know; one that is there is kept, else one is made and shown once."
    )
    tolerance: Annotated[Span, AfterValidator(_short)] = Field(
        TOLERANCE, description="How far the signed time may be from now; an hour at the most."
    )


class WebhookRequest(Sent):
    """What a webhook is to be; its token stays as it is."""

    action: str = Field(description="The action it triggers.")
    inputs: Inputs = Field({}, description="Values of inputs that the sender cannot change.")
    payload: Annotated[str, StringConstraints(max_length=63)] | None = Field(
        None,
        description="The input that is given the whole body; else its fields are, by the names of inputs.",
    )
    signature: SignatureRequest | None = Field(
        None, description="How callers must sign; the token alone is enough, unless given."
    )
    rate: Annotated[int, Field(ge=1, le=6000, strict=True)] = Field(
        60, description="Triggers in a minute at the most; what exceeds them is answered with 429."
    )


class Signing(BaseModel):
    """How callers sign, as it is kept."""

    model_config = ConfigDict(frozen=True)

    scheme: Scheme
    tolerance: Span = TOLERANCE


class Kept(BaseModel):
    """The settings of a webhook, as they are kept; the secret is beside them."""

    model_config = ConfigDict(frozen=True)

    inputs: Inputs = {}
    payload: str | None = None
    signature: Signing | None = None
    rate: int = 60


def settings_of(row: WebhookRow) -> Kept:
    """The settings of a row."""
    return Kept.model_validate(row.settings)


def keep(wanted: WebhookRequest) -> Kept:
    """The settings to keep of what was asked for."""
    signing = wanted.signature
    return Kept(
        inputs=wanted.inputs,
        payload=wanted.payload,
        signature=Signing(scheme=signing.scheme, tolerance=signing.tolerance) if signing else None,
        rate=wanted.rate,
    )


def sealed_secret(keyring: KeyRing, row: WebhookRow, wanted: WebhookRequest) -> tuple[str, str | None]:
    """The sealed secret of a webhook, and the secret itself if it was made here."""
    if wanted.signature is None:
        return "", None
    given = wanted.signature.secret
    if given is None and row.sealed:
        return row.sealed, None
    secret = given.get_secret_value() if given is not None else token_urlsafe(32)
    return seal_signer(keyring, row, secret), None if given is not None else secret


def new_token() -> str:
    """A fresh token of 256 random bits."""
    return TOKEN_PREFIX + token_urlsafe(32)
