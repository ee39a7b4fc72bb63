"""The reference of the functions of expressions."""

import json

from dsl.functions.catalogue import GROUPS
from dsl.functions.function import Function, Group
from tools.docs.fields import cell

HEAD = """\
<!-- Generated from dsl/functions/ by `make docs`; edit the functions there. -->
# Functions

What expressions may call, each with an example and its value. Types are checked at upload; what comes from
a stage may be anything, and is checked when it is there. Operators, `in`, `? :` and the rest of the language
are those of [CEL](https://cel.dev); [language.md](language.md) says what else is in scope.

There is no clock and no randomness: times are given, by `trigger.due` or by a stage, as a time or as a text
like `2026-11-24T09:00:00Z`. A zone is a place, such as `Europe/London`; without one it is UTC. Inside a list
or a map that a function gives back, times and durations are texts. A map has no order while an expression is
evaluated, and the order of its keys in a result; `keys()` gives them in order. An expression that needs more
than 2 seconds of computing or 1 GiB of memory fails its stage with the error `expression`.
"""


def functions_page() -> str:
    """`docs/functions.md`."""
    return "\n".join([HEAD, *(_section(group) for group in GROUPS)])


def _section(group: Group) -> str:
    rows = "".join(_row(function) for function in group.functions)
    return f"## {group.title}\n\n| function | | example | value |\n|---|---|---|---|\n{rows}"


def _row(function: Function) -> str:
    value = json.dumps(function.result, ensure_ascii=False)
    return f"| `{function.usage}` | {cell(function.about)} | `{cell(function.example)}` | `{cell(value)}` |\n"
