"""How callers of a webhook prove that they know its secret: the ways that are in use out there.

Each signs with HMAC-SHA256. All but GitHub's sign the time as well, so that a call cannot be repeated later.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal

from pydantic import JsonValue

Scheme = Literal["github", "stripe", "slack", "standard"]
Headers = Mapping[str, str]
MOST = 10  # signatures of one call that are looked at: a sender whose secret changes sends two

STANDARD_PREFIX = "whsec_"  # of a secret that is base64, as Standard Webhooks has it


@dataclass(frozen=True)
class Proof:
    """What a call carries: the text that is signed, the signatures, and what is signed beside the body."""

    signed: bytes
    given: tuple[str, ...]
    at: int | None = None  #: Seconds since 1970, if the time is signed.
    call_id: str = ""  #: What tells the call from others, if that is signed.


def refusal_of(scheme: Scheme, secret: str, proof: Proof, now: datetime, tolerance: timedelta) -> str | None:
    """Why a call is not taken, for the owner of the webhook; None if it is signed and not too old."""
    if not proof.given:
        return "no signature was sent"
    expected = ENCODINGS[scheme](hmac.digest(_key(scheme, secret), proof.signed, sha256))
    if not any(hmac.compare_digest(expected.encode(), one.encode(errors="replace")) for one in proof.given):
        return "the signature is wrong"
    if proof.at is not None and abs(now - _instant(proof.at)) > tolerance:
        return "the signed time is too far from now"
    return None


def proof_of(scheme: Scheme, headers: Headers, raw: bytes, value: JsonValue) -> Proof:
    """What a call carries; without signatures if its headers are not of this scheme."""
    return READERS[scheme](headers, raw, value)


def _github(headers: Headers, raw: bytes, _: JsonValue) -> Proof:
    kind, _, digest = headers.get("x-hub-signature-256", "").partition("=")
    return Proof(raw, (digest,) if kind == "sha256" and digest else ())


def _stripe(headers: Headers, raw: bytes, value: JsonValue) -> Proof:
    pairs = [part.strip().partition("=") for part in headers.get("stripe-signature", "").split(",")]
    times = [text for name, _, text in pairs if name == "t"]
    digests = tuple(text for name, _, text in pairs if name == "v1" and text)[:MOST]
    return _timed(times[0] if times else "", "{time}.", raw, digests, _field(value, "id"))


def _slack(headers: Headers, raw: bytes, value: JsonValue) -> Proof:
    version, _, digest = headers.get("x-slack-signature", "").partition("=")
    given = (digest,) if version == "v0" and digest else ()
    time = headers.get("x-slack-request-timestamp", "")
    return _timed(time, "v0:{time}:", raw, given, _field(value, "event_id"))


def _standard(headers: Headers, raw: bytes, _: JsonValue) -> Proof:
    call_id = headers.get("webhook-id", "")
    parts = [part.partition(",") for part in headers.get("webhook-signature", "").split()]
    given = tuple(text for version, _, text in parts if version == "v1" and text)[:MOST]
    safe = call_id.replace("{", "{{").replace("}", "}}")
    return _timed(headers.get("webhook-timestamp", ""), safe + ".{time}.", raw, given, call_id)


def _timed(time: str, before: str, raw: bytes, given: tuple[str, ...], call_id: str) -> Proof:
    if not (time.isascii() and time.isdecimal() and len(time) <= 12):
        return Proof(raw, ())
    signed = before.format(time=time).encode(errors="replace") + raw
    return Proof(signed, given, int(time), call_id)


def _field(value: JsonValue, name: str) -> str:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def _key(scheme: Scheme, secret: str) -> bytes:
    if scheme == "standard" and secret.startswith(STANDARD_PREFIX):
        try:
            return b64decode(secret.removeprefix(STANDARD_PREFIX), validate=True)
        except ValueError:
            pass  # it is a text like any other
    return secret.encode(errors="replace")


def _instant(seconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def is_timed(scheme: Scheme) -> bool:
    """Whether the time is signed."""
    return scheme != "github"


READERS: Mapping[Scheme, Callable[[Headers, bytes, JsonValue], Proof]] = {
    "github": _github,
    "stripe": _stripe,
    "slack": _slack,
    "standard": _standard,
}
ENCODINGS: Mapping[Scheme, Callable[[bytes], str]] = {
    "github": bytes.hex,
    "stripe": bytes.hex,
    "slack": bytes.hex,
    "standard": lambda mac: b64encode(mac).decode(),
}
