"""The limits of an input: where each may stand, and what lies beyond it."""

from collections.abc import Iterator

from pydantic import JsonValue

from dsl.action import InputItem

_LIMITED = {
    "min": ("integer", "number"),
    "max": ("integer", "number"),
    "min_length": ("string", "array"),
    "max_length": ("string", "array"),
    "items": ("array",),
    "fields": ("object",),
}


def misplaced_limits(given: InputItem) -> Iterator[tuple[str, str]]:
    """The field and the fault of each limit that says nothing about a value of this type."""
    for name, types in _LIMITED.items():
        if getattr(given, name) is not None and given.type not in types:
            yield name, f"only an input of type {' or '.join(types)} has {name}"
    if given.min is not None and given.max is not None and given.max < given.min:
        yield "max", "is less than min"
    if given.min_length is not None and given.max_length is not None and given.max_length < given.min_length:
        yield "max_length", "is less than min_length"


def beyond_limits(given: InputItem, value: JsonValue) -> Iterator[str]:
    """What keeps a value of the right type from being within the limits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if given.min is not None and value < given.min:
            yield f"must be at least {given.min}"
        if given.max is not None and value > given.max:
            yield f"must be at most {given.max}"
    if isinstance(value, str | list):
        unit = "characters" if isinstance(value, str) else "items"
        if given.min_length is not None and len(value) < given.min_length:
            yield f"must have at least {given.min_length} {unit}"
        if given.max_length is not None and len(value) > given.max_length:
            yield f"must have at most {given.max_length} {unit}"
