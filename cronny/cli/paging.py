"""Long lists of the API, a page after the other."""

from typing import Any

from cronny.cli.client import Client

PAGE = 200  # items asked for at once


def latest(
    client: Client, place: str | tuple[str, ...], limit: int, **wanted: str | list[str] | None
) -> list[Any]:
    """The first `limit` items of a list; most lists begin with the latest."""
    path = (place,) if isinstance(place, str) else place
    items: list[Any] = []
    cursor: str | None = None
    while len(items) < limit:
        page = client.get(*path, limit=min(limit - len(items), PAGE), cursor=cursor, **wanted)
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    return items
