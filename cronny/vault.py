"""What is sealed at rest: each as a text that is bound to its row."""

import json
from collections.abc import Mapping

from pydantic import BaseModel, JsonValue, SecretStr

from cronny.secrets import KeyRing
from cronny.store.sealed import SealedRow
from cronny.store.tables import ConnectionRow
from cronny.store.tenant_tables import SecretRow
from cronny.store.webhook_tables import WebhookRow


def split_secrets(model: BaseModel) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """The public and the secret fields of a connection that was given."""
    given = model.model_dump(mode="json", exclude_unset=True, by_alias=True)
    secrets: dict[str, JsonValue] = {}
    for name, value in model:
        if name in model.model_fields_set and (opened := _opened(value)) is not None:
            secrets[name] = opened
    public = {name: value for name, value in given.items() if name not in secrets}
    return public, secrets


def seal(keyring: KeyRing, row: ConnectionRow, secrets: Mapping[str, JsonValue]) -> str:
    """The secret fields as a text that opens only as this row's."""
    return keyring.seal(json.dumps(dict(secrets)).encode(), _context(row))


def unseal(keyring: KeyRing, row: ConnectionRow) -> dict[str, JsonValue]:
    """The secret fields of a connection."""
    opened = json.loads(keyring.open(row.sealed, _context(row)))
    return opened if isinstance(opened, dict) else {}


def seal_secret(keyring: KeyRing, row: SecretRow, value: SecretStr) -> str:
    """A secret as a text that opens only as this row's."""
    return keyring.seal(value.get_secret_value().encode(), _context(row))


def unseal_secret(keyring: KeyRing, row: SecretRow) -> str:
    """The value of a secret."""
    return keyring.open(row.sealed, _context(row)).decode()


def seal_signer(keyring: KeyRing, row: WebhookRow, secret: str) -> str:
    """The secret that callers of a webhook sign with, as a text that opens only as this row's."""
    return keyring.seal(secret.encode(), _context(row))


def unseal_signer(keyring: KeyRing, row: WebhookRow) -> str:
    """The secret that callers of a webhook sign with; raises Unsealable."""
    return keyring.open(row.sealed, _context(row)).decode()


def reseal(keyring: KeyRing, row: SealedRow) -> str:
    """What a row has sealed, sealed under the newest key; raises Unsealable."""
    return keyring.seal(keyring.open(row.sealed, _context(row)), _context(row))


def _context(row: SealedRow) -> str:
    match row:
        case SecretRow():
            kind = "secret"
        case WebhookRow():
            kind = "webhook"
        case _:
            kind = "connection"
    return f"{row.tenant_id}/{kind}/{row.id}"


def _opened(value: object) -> JsonValue:
    """A secret, or a mapping to secrets, in the clear; None for what is no secret."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict() if value and all(isinstance(one, SecretStr) for one in value.values()):
            return {name: one.get_secret_value() for name, one in value.items()}
    return None
