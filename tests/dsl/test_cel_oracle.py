"""Small expressions have the same value in another engine, cel-python."""

import json

import celpy
from celpy.adapter import CELJSONEncoder, json_to_cel
from celpy.celtypes import Value
from celpy.evaluation import CELEvalError
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from dsl.cel import ExpressionError, evaluate
from dsl.scopes import Scope

VALUES: dict[str, JsonValue] = {"input": {"n": 3, "s": "abc", "xs": [1, 2, 3], "yes": True}}
SCOPE = Scope.of({"input": "dyn"})
OTHER = celpy.Environment()
VARIABLES: dict[str, Value] = {name: json_to_cel(value) for name, value in VALUES.items()}

INTS = st.integers(-50, 50).map(str) | st.sampled_from(["input.n", "input.xs[0]", "size(input.s)"])
TEXTS = st.text("abXY é", max_size=3).map(lambda text: f"'{text}'") | st.just("input.s")
BOOLS = st.sampled_from(["true", "false", "input.yes"])


def joined(operators: list[str], parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("({} {} {})".format, parts, st.sampled_from(operators), parts)


def chosen(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds("({} ? {} : {})".format, BOOLS, parts, parts)


ints = st.recursive(
    INTS, lambda inner: joined(["+", "-", "*", "/", "%"], inner) | chosen(inner), max_leaves=5
)
texts = st.recursive(TEXTS, lambda inner: joined(["+"], inner) | chosen(inner), max_leaves=4)
lists = st.lists(ints, max_size=3).map(lambda items: f"[{', '.join(items)}]") | st.just("input.xs")
comparisons = (
    joined(["==", "!=", "<", "<=", ">", ">="], ints)
    | joined(["==", "!=", "<", ">"], texts)
    | st.builds("({} in {})".format, ints, lists)
    | st.builds("{}.startsWith({})".format, TEXTS, texts)
    | st.builds("{}.contains({})".format, TEXTS, texts)
    | st.builds("{}.{}(x, x > {})".format, lists, st.sampled_from(["all", "exists", "exists_one"]), INTS)
)
bools = st.recursive(
    BOOLS | comparisons,
    lambda inner: joined(["&&", "||", "=="], inner) | inner.map("!{}".format),
    max_leaves=5,
)
mapped = st.builds("{}.map(x, x * {})".format, lists, INTS) | st.builds(
    "{}.filter(x, x > {})".format, lists, INTS
)
sizes = st.builds("size({})".format, texts | lists | mapped)


def other_value(expression: str) -> JsonValue:
    """What cel-python says; the word `error` for any error."""
    program = OTHER.program(OTHER.compile(expression))
    try:
        found: JsonValue = json.loads(json.dumps(program.evaluate(VARIABLES), cls=CELJSONEncoder))
    except CELEvalError:
        return "error"
    return found


def own_value(expression: str) -> JsonValue:
    try:
        return evaluate(expression, VALUES, SCOPE)
    except ExpressionError:
        return "error"


@settings(max_examples=100, deadline=None)
@given(ints | texts | lists | bools | mapped | sizes)
def test_both_engines_agree(expression: str) -> None:
    assert own_value(expression) == other_value(expression)
