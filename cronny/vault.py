"""Connections at rest: public fields in the clear, secret fields in one sealed text bound to their row."""

import json
from collections.abc import Mapping

from pydantic import BaseModel, JsonValue, SecretStr

from cronny.secrets import KeyRing
from cronny.store.tables import ConnectionRow


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


def _opened(value: object) -> JsonValue:
    """A secret, or a mapping to secrets, in the clear; None for what is no secret."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict() if value and all(isinstance(one, SecretStr) for one in value.values()):
            return {name: one.get_secret_value() for name, one in value.items()}
    return None


def _context(row: ConnectionRow) -> str:
    return f"{row.tenant_id}/connection/{row.id}"
