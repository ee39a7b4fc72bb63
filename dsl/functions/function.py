"""What a function of expressions is: its forms, what it says of itself, and an example that is tested."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import JsonValue

TypeName = Literal[
    "string", "int", "double", "bool", "bytes", "list", "map", "timestamp", "duration", "null", "uint", "dyn"
]
Types = tuple[TypeName, ...]


@dataclass(frozen=True)
class Form:
    """One list of types that a function takes, and what it gives then."""

    takes: Types
    gives: TypeName
    call: Callable[..., Any]  #: Raises ValueError with a message for people.


@dataclass(frozen=True)
class Function:
    """A function; one without forms is the engine's own."""

    usage: str  #: As people write it: `text.upper()`, `json.parse(text)`.
    about: str
    example: str
    result: JsonValue
    forms: tuple[Form, ...] = ()
    is_member: bool = False

    @property
    def name(self) -> str:
        """What stands before the bracket, without the value that a member is called on."""
        written = self.usage.partition("(")[0]
        return written.rpartition(".")[2] if self.is_member else written


@dataclass(frozen=True)
class Group:
    """Functions of one subject."""

    title: str
    functions: tuple[Function, ...]


def member(usage: str, about: str, example: str, result: JsonValue, *forms: Form) -> Function:
    """A function that is called on a value: `text.upper()`."""
    return Function(usage, about, example, result, forms, is_member=True)


def free(usage: str, about: str, example: str, result: JsonValue, *forms: Form) -> Function:
    """A function with a name of its own: `json.parse(text)`."""
    return Function(usage, about, example, result, forms)
