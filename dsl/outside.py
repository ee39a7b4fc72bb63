"""What an action takes from its tenant by name: `vars.<name>` anywhere, `secrets.<name>` inside `with`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from dsl.action import RESERVED_WORDS
from dsl.references import Reference, references
from dsl.scopes import TypeName
from dsl.sites import Site, sites_of
from dsl.sketch import sketch_of
from dsl.templates import TemplateError, expressions_in

# Upper case is allowed, as names of environment variables have it; each stands in expressions as it is.
OUTSIDE_NAME = r"^[A-Za-z][A-Za-z0-9_]{0,62}$"
TYPES: Mapping[str, TypeName] = {"vars": "dyn", "secrets": "string"}
NOUNS: Mapping[str, str] = {"vars": "variable", "secrets": "secret"}

_NAME = re.compile(OUTSIDE_NAME)


@dataclass(frozen=True)
class Outside:
    """Names of variables and of secrets: those that a tenant has, or those that an action uses."""

    vars: frozenset[str] = field(default_factory=frozenset)
    secrets: frozenset[str] = field(default_factory=frozenset)

    def of(self, root: str) -> frozenset[str]:
        """The names that may follow `vars` or `secrets`."""
        return self.vars if root == "vars" else self.secrets


def is_outside_name(text: str) -> bool:
    """Whether `text` may name a variable or a secret."""
    return _NAME.fullmatch(text) is not None and text not in RESERVED_WORDS


def outside_types(found: Iterable[Reference]) -> dict[str, TypeName]:
    """The variables and secrets that some references name, as `vars.region`, with their types."""
    return {
        f"{reference.root}.{reference.parts[1]}": TYPES[reference.root]
        for reference in found
        if reference.root in TYPES and len(reference.parts) > 1
    }


def outside_of(model: JsonValue) -> Outside:
    """What an action uses, given as it is stored, or as it was written."""
    if not isinstance(model, dict):
        return Outside()
    names = {name for site in sites_of(sketch_of(model)) for name in _used(site)}
    return Outside(*(frozenset(name for of, name in names if of == root) for root in TYPES))


def secret_expressions(value: JsonValue) -> list[str]:
    """The expressions inside a value that name a secret."""
    return [text for _, text, _ in expressions_in(value) if _names(text, "secrets")]


def _used(site: Site) -> Iterator[tuple[str, str]]:
    for text in _expressions(site):
        for name in outside_types(references(text)):
            root, _, last = name.partition(".")
            yield root, last


def _expressions(site: Site) -> list[str]:
    if site.is_condition:
        return [site.value] if isinstance(site.value, str) else []
    try:
        return [text for _, text, _ in expressions_in(site.value)]
    except TemplateError:
        return []


def _names(text: str, root: str) -> bool:
    return any(reference.root == root for reference in references(text))
