"""Which names an expression may use, and of what type, by the place it stands in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, get_args

from pydantic import JsonValue

from dsl.action import Action, Input, InputType

TypeName = Literal["string", "int", "double", "bool", "list", "map", "timestamp", "dyn"]
Situation = Literal["with", "when", "output", "retry", "connector", "outputs", "concurrency"]
Names = tuple[tuple[str, TypeName], ...]
HANDLER_NAMES: Names = (("error", "dyn"), ("status", "string"))  # what the stages behind the graph see
UNDO_NAMES: Names = (("output", "dyn"),)
SITUATIONS: tuple[Situation, ...] = get_args(Situation)

_INPUT_TYPES: Mapping[InputType, TypeName] = {
    "string": "string",
    "integer": "int",
    "number": "double",
    "boolean": "bool",
    "array": "list",
    "object": "map",
    "datetime": "timestamp",
}
STAGE_FIELDS: Mapping[str, TypeName] = {
    "output": "dyn",
    "error": "dyn",
    "status": "string",
    "attempts": "int",
}
TRIGGER_FIELDS: Mapping[str, TypeName] = {
    "id": "string",
    "due": "timestamp",
    "number": "int",
    "action": "string",
    "schedule": "string",
}
_EXTRA: Mapping[Situation, Mapping[str, TypeName]] = {
    "with": {"input": "dyn"},
    "when": {"input": "dyn"},
    "output": {"input": "dyn", "output": "dyn"},
    "retry": {"input": "dyn", "error": "dyn", "attempt": "int"},
    "connector": {"input": "dyn", "output": "dyn", "error": "dyn", "attempt": "int"},
    "outputs": {},
    "concurrency": {},
}


@dataclass(frozen=True)
class Scope:
    """Variables by their dotted names, `stages.fetch.output`, with their types."""

    variables: tuple[tuple[str, TypeName], ...]

    @classmethod
    def of(cls, variables: Mapping[str, TypeName]) -> "Scope":
        """The scope with these variables; equal ones are equal in any order."""
        return cls(tuple(sorted(variables.items())))

    @cached_property
    def types(self) -> Mapping[str, TypeName]:
        """The type of each variable."""
        return dict(self.variables)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:  # A scope is a key of every look-up of a compiled expression.
        return hash(self.variables)


def scope_of(action: Action, situation: Situation) -> Scope:
    """The names of an action for expressions in a situation; stages downstream have no value there."""
    return make_scope(action.inputs, action.all_stages, situation)


@lru_cache(4096)
def with_more(scope: Scope, more: Names) -> Scope:
    """A scope with the names that a stage of its own sort sees besides."""
    return Scope.of({**scope.types, **dict(more)})


def item_names(item_as: str) -> Names:
    """What a stage with `foreach` sees of its item."""
    return ((item_as, "dyn"), ("index", "int"))


def make_scope(inputs: Mapping[str, Input], stages: Iterable[str], situation: Situation) -> Scope:
    """The names that these inputs and stages give to expressions in a situation."""
    return Scope.of(
        {
            **{f"inputs.{name}": input_type(given) for name, given in inputs.items()},
            **{f"trigger.{name}": kind for name, kind in TRIGGER_FIELDS.items()},
            **{f"stages.{stage}.{name}": kind for stage in stages for name, kind in STAGE_FIELDS.items()},
            **_EXTRA[situation],
        }
    )


def roots_in(situation: Situation) -> frozenset[str]:
    """The first words that names may have in a situation."""
    return frozenset({"inputs", "trigger", "stages", "vars", *_EXTRA[situation]})


def input_type(given: Input) -> TypeName:
    """The declared type of an input that always has a value; one that may be null can be anything."""
    has_value = given.required or given.default is not None
    return _INPUT_TYPES[given.type] if has_value else "dyn"


def nested(variables: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Variables as maps in maps, for people and for other engines: `{"stages": {"fetch": {"output": 1}}}`."""
    tree: dict[str, JsonValue] = {}
    for name, value in variables.items():
        *parents, last = name.split(".")
        branch = tree
        for parent in parents:
            child = branch.setdefault(parent, {})
            assert isinstance(child, dict), f"{name} is below a value"  # noqa: S101 - scopes have no such names
            branch = child
        branch[last] = value
    return tree
