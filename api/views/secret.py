"""What the API shows of a secret: everything but its value."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from api.views.listing import View
from api.views.user import UserView
from cronny.secrets import KeyRing
from cronny.store.tenant_tables import SecretRow


class SecretView(View):
    """A secret as a list shows it; its value stays here."""

    name: str = Field(description="Expressions in `with` call it `secrets.<name>`.")
    sealed_under: str = Field(description="The id of the key that seals it.")
    readable: bool = Field(description="False if the installation lost that key.")
    revision: int = Field(description="Counts the times it was set.")
    created: datetime
    updated: datetime = Field(description="When it was last set.")
    last_used: datetime | None = Field(description="When a stage last used it, to within five minutes.")


class SecretDetail(SecretView):
    """A secret and who uses it."""

    used_by: tuple[UserView, ...]


def view_secret(row: SecretRow, keyring: KeyRing) -> SecretView:
    """A secret as it may be seen."""
    key_id = row.sealed.partition(".")[0]
    return SecretView(
        name=row.name,
        sealed_under=key_id,
        readable=keyring.has(key_id),
        revision=row.revision,
        created=row.created_at,
        updated=row.updated_at,
        last_used=row.last_used_at,
    )


def detail_secret(row: SecretRow, keyring: KeyRing, users: Sequence[UserView]) -> SecretDetail:
    """A secret as it is shown alone."""
    return SecretDetail(**view_secret(row, keyring).model_dump(), used_by=tuple(users))
