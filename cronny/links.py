"""The secret URLs of stages that wait. They are made anew whenever they are needed, and stored nowhere."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from cronny.errors import NotFound
from cronny.secrets import KeyRing

LONGEST = 1000  # characters of a token that are looked at
Decision = Literal["approve", "reject"]
DECISIONS: tuple[Decision, ...] = get_args(Decision)


@dataclass(frozen=True)
class ApprovalLink:
    """One person's right to decide one approval in one way, until an instant."""

    wait_id: str
    approver: str
    decision: Decision
    expires: datetime

    def token(self, keyring: KeyRing, key_id: str | None = None) -> str:
        """The link as the last part of a URL, signed by the newest key unless another is named."""
        return f"{_packed(self)}.{keyring.sign(_signed(_packed(self)), key_id)}"


def read_link(keyring: KeyRing, token: str) -> ApprovalLink:
    """The link of a token; raises NotFound for whatever was not signed here."""
    packed, _, signature = token[:LONGEST].partition(".")
    if not keyring.is_signed(_signed(packed), signature):
        raise NotFound("this link is not valid")
    wait_id, approver, decision, expires = json.loads(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    return ApprovalLink(wait_id, approver, decision, datetime.fromtimestamp(expires, UTC))


def wait_token(keyring: KeyRing, wait_id: str, key_id: str) -> str:
    """The secret part of the URL that ends a wait; the same whenever it is asked for."""
    return f"wait_{keyring.sign(f'wait {wait_id}', key_id).partition('.')[2]}"


def _packed(link: ApprovalLink) -> str:
    parts = [link.wait_id, link.approver, link.decision, int(link.expires.timestamp())]
    return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _signed(packed: str) -> str:
    return f"approval {packed}"
