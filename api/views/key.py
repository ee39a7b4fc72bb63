"""What the API shows of an API key."""

from datetime import datetime

from pydantic import Field, JsonValue

from api.permissions import scopes_of
from api.views.listing import View
from cronny.store.tables import ApiKey


class KeyView(View):
    """A key without itself, which is not kept."""

    id: str
    name: str = Field(description="It stands in the events of what is done with the key.")
    role: str
    scopes: tuple[str, ...] = Field(description="What it may.")
    created: datetime
    expires: datetime | None
    last_used: datetime | None = Field(description="To within five minutes.")


class CreatedKey(KeyView):
    """A new key, shown this once."""

    key: str


def view_key(row: ApiKey) -> KeyView:
    """A key as it may be seen."""
    return KeyView(
        id=row.id,
        name=row.name,
        role=row.role,
        scopes=tuple(sorted(scopes_of(row.role, row.scopes))),
        created=row.created_at,
        expires=row.expires_at,
        last_used=row.last_used_at,
    )


def details_of(row: ApiKey) -> dict[str, JsonValue]:
    """What an event tells of a key."""
    return {"key": row.name, "role": row.role, "scopes": row.scopes}
