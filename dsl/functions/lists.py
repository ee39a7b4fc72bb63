"""Functions of lists and maps; the built-in macros `map`, `filter`, `all`, `exists` go with them."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from dsl.cel_values import to_json, to_text
from dsl.functions.function import Form, Group, free, member

LONGEST = 10_000  # items that a range makes up
_ORDERED: Final = {bool: "bool", int: "number", float: "number", str: "text", bytearray: "bytes"} | {
    datetime: "time",
    timedelta: "duration",
}


def _sort(items: list[Any]) -> list[Any]:
    return sorted(_comparable(items))


def _sort_by(items: list[Any], field: str) -> list[Any]:
    keys = _comparable([_field(item, field) for item in items])
    order = sorted(range(len(items)), key=keys.__getitem__)
    return [items[index] for index in order]


def _group_by(items: list[Any], field: str) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for item in items:
        groups.setdefault(to_text(to_json(_field(item, field))), []).append(item)
    return groups


def _distinct(items: list[Any]) -> list[Any]:
    first: dict[Any, Any] = {}
    for item in items:
        first.setdefault(_identity(item), item)
    return list(first.values())


def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    if not 1 <= depth <= 60:
        raise ValueError("a list is flattened by 1 to 60 levels")
    for _ in range(depth):
        if not any(isinstance(item, list) for item in items):
            break
        items = list(chain.from_iterable(item if isinstance(item, list) else [item] for item in items))
    return items


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < start:
        raise ValueError(
            f"there is no slice from {start} to {end}; indexes count from 0, the end is left out"
        )
    return items[start:end]


def _chunks(items: list[Any], size: int) -> list[list[Any]]:
    if size < 1:
        raise ValueError("a chunk has one item at least")
    return [items[start : start + size] for start in range(0, len(items), size)]


def _sum(items: list[Any]) -> Any:
    return sum(_numbers(items))


def _average(items: list[Any]) -> float:
    return float(sum(_numbers(_filled(items))) / len(items))


def _range(count: int) -> list[int]:
    if not 0 <= count <= LONGEST:
        raise ValueError(f"a range has 0 to {LONGEST} numbers")
    return list(range(count))


def _of_filled(choose: Callable[[Iterable[Any]], Any]) -> Callable[[list[Any]], Any]:
    return lambda items: choose(_comparable(_filled(items)))


def _filled(items: list[Any]) -> list[Any]:
    if not items:
        raise ValueError("the list is empty; test its size() first")
    return items


def _numbers(items: Sequence[Any]) -> Sequence[Any]:
    if any(_ORDERED.get(type(item)) != "number" for item in items):
        raise ValueError("the list has values that are no numbers")
    return items


def _comparable(items: list[Any]) -> list[Any]:
    kinds = {_ORDERED.get(type(item), "") for item in items}
    if len(kinds) > 1 or "" in kinds:
        raise ValueError("only numbers, texts or times can be ordered, and only among themselves")
    return items


def _field(item: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(item, dict) or name not in item:
            raise ValueError(f"an item of the list has no '{path[:60]}'")
        item = item[name]
    return item


def _identity(value: Any) -> Any:
    """What is equal for values that are; a number equals another one of any type, but no truth."""
    if isinstance(value, list | dict):
        return "json", json.dumps(to_json(value), sort_keys=True)
    return _ORDERED.get(type(value), "null"), bytes(value) if isinstance(value, bytearray) else value


def _keys(given: dict[Any, Any]) -> list[Any]:
    """In order: the engine keeps none, and a trigger that is run again must see the same."""
    return sorted(given, key=lambda key: (_ORDERED.get(type(key), ""), key))


def _values(given: dict[Any, Any]) -> list[Any]:
    return [given[key] for key in _keys(given)]


def _entries(given: dict[Any, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": given[key]} for key in _keys(given)]


LISTS = Group(
    "Lists and maps",
    (
        free("size(x)", "How many items, fields or characters it has.", "size([1, 2])", 2),
        member("list.map(x, value)", "The value for each item.", "[1, 2].map(x, x * 2)", [2, 4]),
        member("list.filter(x, test)", "The items that pass.", "[1, 5].filter(x, x > 2)", [5]),
        member("list.all(x, test)", "Whether all items pass.", "[1, 5].all(x, x > 0)", True),
        member("list.exists(x, test)", "Whether one item passes.", "[1, 5].exists(x, x > 2)", True),
        member("list.exists_one(x, test)", "Whether exactly one does.", "[1, 5].exists_one(x, x > 2)", True),
        member(
            "list.first()",
            "The first item, if there is one; `last()` likewise.",
            "[1, 2].first().orValue(0) + [].last().orValue(7)",
            8,
        ),
        member("list.sort()", "In order.", "[3, 1, 2].sort()", [1, 2, 3], Form(("list",), "list", _sort)),
        member(
            "list.sortBy(field)",
            "In the order of a field, which may be a path.",
            "[{'n': 2}, {'n': 1}].sortBy('n')",
            [{"n": 1}, {"n": 2}],
            Form(("list", "string"), "list", _sort_by),
        ),
        member(
            "list.reversed()",
            "Backwards.",
            "[3, 1, 2].sort().reversed()",
            [3, 2, 1],
            Form(("list",), "list", lambda items: items[::-1]),
        ),
        member(
            "list.distinct()",
            "Each value once, where it comes first.",
            "[2, 1, 2].distinct()",
            [2, 1],
            Form(("list",), "list", _distinct),
        ),
        member(
            "list.flatten(depth)",
            "With the items of the lists in it; by one level unless given.",
            "[[1], [2, [3]]].flatten()",
            [1, 2, [3]],
            Form(("list",), "list", _flatten),
            Form(("list", "int"), "list", _flatten),
        ),
        member(
            "list.slice(start, end)",
            "From `start` to before `end`, or as far as there are items.",
            "[1, 2, 3].slice(1, 10)",
            [2, 3],
            Form(("list", "int", "int"), "list", _slice),
        ),
        member(
            "list.chunks(size)",
            "In lists of so many items.",
            "[1, 2, 3].chunks(2)",
            [[1, 2], [3]],
            Form(("list", "int"), "list", _chunks),
        ),
        member(
            "list.groupBy(field)",
            "Lists of items by the text of a field, which may be a path.",
            "[{'r': 'eu', 'n': 1}, {'r': 'us', 'n': 2}].groupBy('r').eu",
            [{"r": "eu", "n": 1}],
            Form(("list", "string"), "map", _group_by),
        ),
        member("list.sum()", "0 if it is empty.", "[1, 2, 3].sum()", 6, Form(("list",), "dyn", _sum)),
        member("list.average()", "A decimal.", "[1, 2].average()", 1.5, Form(("list",), "double", _average)),
        member("list.min()", "The least.", "[3, 1].min()", 1, Form(("list",), "dyn", _of_filled(min))),
        member("list.max()", "The greatest.", "[3, 1].max()", 3, Form(("list",), "dyn", _of_filled(max))),
        free(
            "lists.range(count)",
            "The numbers from 0 on.",
            "lists.range(3)",
            [0, 1, 2],
            Form(("int",), "list", _range),
        ),
        member(
            "map.keys()",
            "Its keys, in order.",
            "{'b': 1, 'a': 2}.keys()",
            ["a", "b"],
            Form(("map",), "list", _keys),
        ),
        member(
            "map.values()",
            "Its values, in the order of its keys.",
            "{'b': 1, 'a': 2}.values()",
            [2, 1],
            Form(("map",), "list", _values),
        ),
        member(
            "map.entries()",
            "Its keys with their values, in order.",
            "{'a': 1}.entries()",
            [{"key": "a", "value": 1}],
            Form(("map",), "list", _entries),
        ),
        member(
            "map.merge(other)",
            "With the fields of the other, which win.",
            "{'a': 1, 'b': 1}.merge({'b': 2})",
            {"a": 1, "b": 2},
            Form(("map", "map"), "map", lambda one, other: one | other),
        ),
    ),
)
