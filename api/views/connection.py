"""What the API shows of a connection: never a secret, only which ones are set."""

from datetime import datetime

from pydantic import Field, JsonValue

from api.views.listing import View
from cronny.secrets import KeyRing, Unsealable
from cronny.store.tables import ConnectionRow
from cronny.vault import unseal


class ConnectionView(View):
    """A connection without its secrets."""

    name: str
    kind: str = Field(description="The kind of stage it is for.")
    settings: JsonValue = Field(description="The fields that are not secret.")
    secrets: tuple[str, ...] = Field(description="The secret fields that are set; their values stay here.")
    readable: bool = Field(description="False if the installation lost the key that opens the secrets.")
    revision: int = Field(description="Counts the times it was written.")
    created: datetime
    updated: datetime


def view_connection(row: ConnectionRow, keyring: KeyRing) -> ConnectionView:
    """A connection as it may be seen."""
    names = _secret_names(row, keyring)
    return ConnectionView(
        name=row.name,
        kind=row.kind,
        settings=row.settings,
        secrets=names or (),
        readable=names is not None,
        revision=row.revision,
        created=row.created_at,
        updated=row.updated_at,
    )


def _secret_names(row: ConnectionRow, keyring: KeyRing) -> tuple[str, ...] | None:
    try:
        return tuple(unseal(keyring, row))
    except Unsealable:
        return None
