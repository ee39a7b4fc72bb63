"""The codes of problems, for programs: what each means, and an action that has such a problem."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """What a code means, and an action that shows it."""

    about: str
    example: str


def _head(more: str) -> str:
    stage = "{id: fetch, uses: http, with: {url: https://api.example.com}}"
    return f"name: example\nstages:\n  - {stage}\n{more}\n"


def _stages(*stages: str) -> str:
    return "name: example\nstages:\n" + "".join(f"  - {stage}\n" for stage in stages)


def _set(value: str) -> str:
    return _stages(f'{{id: first, uses: set, with: {{values: {{v: "${{{{ {value} }}}}"}}}}}}')


_MORE = "labels: {" + ", ".join(f"l{number}: {number}" for number in range(50)) + "}\n"
_MANY = _MORE + "".join(f"x{number}: 1\n" for number in range(160))

CODES: Mapping[str, Code] = {
    "syntax": Code("The text cannot be read as YAML 1.2 or JSON.", "name: example\nstages: [\n"),
    "number": Code("A number that is too large, or none that JSON knows.", _head("labels: {a: .inf}")),
    "too_large": Code(
        "The text is too long, has too many values, or is nested too deeply.", "name: " + "[" * 70 + "\n"
    ),
    "required": Code("A field is missing.", "name: example\n"),
    "unknown_field": Code("There is no such field.", _head("timeot: 5m")),
    "invalid": Code("A value is not one that its field takes.", _head("timeout: soon")),
    "type": Code(
        "An input is declared in a way that fits no value, or a value does not fit its input.",
        _head("inputs: {n: {type: integer, default: many}}"),
    ),
    "name": Code(
        "The schedule would have a name that is too long.",
        _head(f"schedules: [{{id: {'a' * 60}, every: hour}}]"),
    ),
    "duplicate": Code("A name or a key is there twice.", _head("name: again")),
    "unknown_kind": Code("There is no such kind of stage.", _stages("{id: a, uses: htp}")),
    "connection": Code(
        "A connection is missing, unknown, of another kind, or not wanted.",
        _stages('{id: a, uses: slack, with: {text: "hello"}}'),
    ),
    "unknown_stage": Code("There is no such stage.", _head("connectors: [{from: fetch, to: insert}]")),
    "cycle": Code("The connectors form a circle.", _head("connectors: [{from: fetch, to: fetch}]")),
    "retry": Code(
        "What is joined by `on: retry` is never tried again, or is no branch.",
        _head("connectors: [{from: fetch, to: fetch, on: retry}]"),
    ),
    "connector": Code(
        "The connector is for an event that its stage does not have.",
        _head("connectors: [{from: fetch, to: fetch, on: waiting}]"),
    ),
    "undo": Code(
        "The stage has nothing to undo, or not by that kind.",
        _stages("{id: a, uses: set, with: {values: {}}, undo: {uses: set, with: {values: {}}}}"),
    ),
    "unknown_input": Code("There is no such input.", _set("inputs.region")),
    "unknown_variable": Code("The tenant has no such variable.", _set("vars.region")),
    "unknown_secret": Code(
        "The tenant has no such secret.",
        _stages('{id: a, uses: http, with: {url: "https://example.com/${{ secrets.token }}"}}'),
    ),
    "unknown_name": Code("There is no such name in expressions.", _set("triger.due")),
    "unknown_function": Code("There is no such function.", _set("json.pars('1')")),
    "not_upstream": Code("The stage may not have ended there.", _set("stages.first.output")),
    "scope": Code("The name has no value at that place.", _set("output.status")),
    "expression": Code("The expression cannot be read, or its types do not fit.", _set("1 + 'a'")),
    "more": Code("There are more problems than are shown.", _head(_MANY)),
}
