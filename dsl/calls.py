"""Which actions trigger which: what can be seen of it before they do."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from dsl.document import Path
from dsl.templates import is_template


def calls_of(value: JsonValue, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The actions that an action names in its stages, with the places of their names."""
    match value:
        case dict():
            given = value.get("with")
            name = given.get("action") if value.get("uses") == "action" and isinstance(given, dict) else None
            if isinstance(name, str) and not is_template(name):
                yield (*path, "with", "action"), name
            for key, child in value.items():
                yield from calls_of(child, (*path, key))
        case list():
            for index, child in enumerate(value):
                yield from calls_of(child, (*path, index))


def find_circle(start: str, first: str, calls: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """The way from an action over the one it calls first back to itself; nothing if there is none."""
    ways: list[tuple[str, ...]] = [(start, first)]
    seen = {first}
    for way in ways:  # It grows while it is walked, so that the shortest way is found.
        if way[-1] == start:
            return way
        for name in sorted(calls.get(way[-1], frozenset()) - seen):
            seen.add(name)
            ways.append((*way, name))
    return ()
