"""What the API shows of a connection: never a secret, only which ones are set."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field, JsonValue, ValidationError

from api.views.listing import View
from api.views.user import UserView
from cronny.secrets import KeyRing, Unsealable
from cronny.store.tables import ConnectionRow
from cronny.vault import unseal


class ConnectionTest(View):
    """What a test of a connection found."""

    at: datetime
    ok: bool
    code: str = Field(
        description="The code of the error, such as `auth` or `timeout`; empty if there is none."
    )
    message: str = Field(description="What answered, or what went wrong.")
    elapsed_ms: int
    revision: int = Field(description="Of the connection, when it was tested.")


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
    last_used: datetime | None = Field(description="When a stage last used it, to within five minutes.")
    last_test: ConnectionTest | None = Field(description="What the last test of its present settings found.")
    used_by: tuple[UserView, ...]


def view_connection(row: ConnectionRow, keyring: KeyRing, users: Sequence[UserView]) -> ConnectionView:
    """A connection as it may be seen."""
    names, test = _secret_names(row, keyring), view_test(row.checked)
    return ConnectionView(
        name=row.name,
        kind=row.kind,
        settings=row.settings,
        secrets=names or (),
        readable=names is not None,
        revision=row.revision,
        created=row.created_at,
        updated=row.updated_at,
        last_used=row.last_used_at,
        last_test=test if test is not None and test.revision == row.revision else None,
        used_by=tuple(users),
    )


def view_test(checked: JsonValue) -> ConnectionTest | None:
    """A test as it was written down."""
    try:
        return ConnectionTest.model_validate(checked)
    except ValidationError:
        return None


def _secret_names(row: ConnectionRow, keyring: KeyRing) -> tuple[str, ...] | None:
    try:
        return tuple(unseal(keyring, row))
    except Unsealable:
        return None
