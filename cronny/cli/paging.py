"""Long lists of the API, a page after the other."""

from typing import Any

from cronny.cli.client import Client

PAGE = 200  # items asked for at once


def latest(
    client: Client, path: str | tuple[str, ...], limit: int, **wanted: str | list[str] | None
) -> list[Any]:
    """The first `limit` items of a list, which begins with the latest."""
    parts = (path,) if isinstance(path, str) else path
    items: list[Any] = []
    cursor: str | None = None
    while len(items) < limit:
        page = client.get(*parts, limit=min(limit - len(items), PAGE), cursor=cursor, **wanted)
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    return items
