"""Long lists of the API, a page after the other."""

from typing import Any

from cronny.cli.client import Client

PAGE = 200  # items asked for at once


def latest(client: Client, noun: str, limit: int, **wanted: str | list[str] | None) -> list[Any]:
    """The first `limit` items of a list, which begins with the latest."""
    items: list[Any] = []
    cursor: str | None = None
    while len(items) < limit:
        page = client.get(noun, limit=min(limit - len(items), PAGE), cursor=cursor, **wanted)
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    return items
