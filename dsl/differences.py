"""What two versions of an action have otherwise, part by part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from pydantic import JsonValue

Part = Literal["action", "input", "stage", "connector", "schedule", "output"]
Raw = Mapping[str, JsonValue]


@dataclass(frozen=True)
class FieldDifference:
    """A field that is otherwise; None where it is not there."""

    field: str
    before: JsonValue
    after: JsonValue


@dataclass(frozen=True)
class Difference:
    """A part that was added, removed or changed."""

    change: Literal["added", "removed", "changed"]
    part: Part
    name: str
    fields: tuple[FieldDifference, ...] = ()


def differences(before: JsonValue, after: JsonValue) -> Iterator[Difference]:
    """The differences of two stored versions, in the order in which an action is written."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return
    of_parts = ("inputs", "schedule", "schedules", "stages", "connectors", "outputs", "name")
    for name in dict.fromkeys((*before, *after)):
        if name not in of_parts:
            yield from _compared("action", name, before.get(name), after.get(name))
    yield from _parts("input", _named(before, "inputs"), _named(after, "inputs"))
    yield from _parts("schedule", _schedules(before), _schedules(after))
    yield from _parts("stage", _stages(before), _stages(after))
    yield from _connected(before, after)
    yield from _parts("output", _named(before, "outputs"), _named(after, "outputs"))


def _connected(before: Raw, after: Raw) -> Iterator[Difference]:
    if before.get("connectors") is not None or after.get("connectors") is not None:
        yield from _parts("connector", _connectors(before), _connectors(after))
        return
    first, second = list(_stages(before)), list(_stages(after))
    kept = set(first) & set(second)
    if [one for one in first if one in kept] != [one for one in second if one in kept]:
        moved = FieldDifference("stages", list[JsonValue](first), list[JsonValue](second))
        yield Difference("changed", "action", "order", (moved,))


def _parts(part: Part, before: Raw, after: Raw) -> Iterator[Difference]:
    for name in before:
        if name not in after:
            yield Difference("removed", part, name)
    for name in after:
        if name not in before:
            yield Difference("added", part, name)
        else:
            yield from _compared(part, name, before[name], after[name])


def _compared(part: Part, name: str, before: JsonValue, after: JsonValue) -> Iterator[Difference]:
    fields = tuple(_fields("", before, after))
    if fields:
        yield Difference("changed", part, name, fields)


def _fields(path: str, before: JsonValue, after: JsonValue) -> Iterator[FieldDifference]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _fields(f"{path}.{key}" if path else key, before.get(key), after.get(key))
    elif repr(before) != repr(after):  # Python takes 1, 1.0 and true for the same.
        yield FieldDifference(path, before, after)


def _named(action: Raw, name: str) -> Raw:
    found = action.get(name)
    return found if isinstance(found, dict) else {}


def _stages(action: Raw) -> dict[str, JsonValue]:
    found = action.get("stages")
    stages = found if isinstance(found, list) else []
    return {str(stage.get("id")): stage for stage in stages if isinstance(stage, dict)}


def _connectors(action: Raw) -> dict[str, JsonValue]:
    """The connectors by their ends; without any written, each stage has one to the next."""
    found = action.get("connectors")
    if not isinstance(found, list):
        return {f"{one} -> {two}": {"from": one, "to": two} for one, two in pairwise(_stages(action))}
    named: dict[str, JsonValue] = {}
    for edge in found:
        if isinstance(edge, dict):
            name = _edge_name(edge)
            count = sum(1 for known in named if known == name or known.startswith(f"{name} ("))
            given: JsonValue = {
                key: value for key, value in edge.items() if value not in (None, "", {}, "success")
            }
            named[f"{name} ({count + 1})" if count else name] = given
    return named


def _edge_name(edge: Raw) -> str:
    on = edge.get("on") or "success"
    ends = f"{edge.get('from')} -> {edge.get('to')}"
    return ends if on == "success" else f"{ends} on {on}"


def _schedules(action: Raw) -> dict[str, JsonValue]:
    single, several = action.get("schedule"), action.get("schedules")
    found: dict[str, JsonValue] = {} if single is None else {"schedule": single}
    for rule in several if isinstance(several, list) else ():
        if isinstance(rule, dict):
            found[str(rule.get("id"))] = rule
    return found
