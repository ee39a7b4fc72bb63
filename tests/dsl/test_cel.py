import json

import pytest
from pydantic import JsonValue

from dsl.cel import ExpressionError, Program, compile_expression, evaluate, holds, render
from dsl.scopes import Scope

SCOPE = Scope.of(
    {
        "input": "dyn",
        "inputs.count": "int",
        "inputs.ratio": "double",
        "inputs.region": "string",
        "stages.fetch.output": "dyn",
        "stages.fetch.status": "string",
        "trigger.due": "timestamp",
    }
)
VALUES: dict[str, JsonValue] = {
    "input": {"a": {"b": 1}, "xs": [1, 2, 3], "text": "héllo", "none": None, "no": False},
    "inputs.count": 3,
    "inputs.ratio": 2,
    "inputs.region": "eu",
    "stages.fetch.output": {
        "status": 200,
        "body": {"orders": [{"id": 1, "total": 2.5}, {"id": 2, "total": 3}]},
    },
    "stages.fetch.status": "completed",
    "trigger.due": "2026-11-24T09:00:00+01:00",
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("7 / 2", 3),
        ("-7 % 3", -1),
        ("7.0 / 2.0", 3.5),
        ("inputs.ratio * 1.5", 3.0),
        ("'a' + 'b'", "ab"),
        ("[1, 'a', null, 1.5, true, {'k': [2]}]", [1, "a", None, 1.5, True, {"k": [2]}]),
        ("{1: 'a', 'c': 'd'}", {"1": "a", "c": "d"}),
        ("input.a.b", 1),
        ("input.xs[1]", 2),
        ("input.xs[0] == 1.0", True),
        ("size(input.text)", 5),
        ("input.none == null", True),
        ("has(input.missing)", False),
        ("has(input.a.b) && !has(input.a.c)", True),
        ("input.?missing.orValue('none')", "none"),
        ("input.no || true", True),
        ("false && input.missing.x == 1", False),
        ("inputs.count > 2 ? 'many' : 'few'", "many"),
        ("inputs.region in ['eu', 'us']", True),
        ("input.xs.map(x, x * 2)", [2, 4, 6]),
        ("input.xs.filter(x, x > 1).size()", 2),
        ("input.xs.all(x, x > 0) && input.xs.exists(x, x == 3)", True),
        ("input.xs.map(input, input + 1)", [2, 3, 4]),
        ("[1, 2].map(x, [3].map(y, x + y))", [[4], [5]]),
        ("stages.fetch.output.body.orders.map(o, [o.id, o.total])", [[1, 2.5], [2, 3]]),
        ("stages.fetch.output.status != 200", False),
        ("stages.fetch.status == 'completed'", True),
        ("string(1) + string(2.5) + string(true)", "12.5true"),
        ("int('7') + int(2.9)", 9),
        ("double(7)", 7.0),
        ("uint(7)", 7),
        ("trigger.due", "2026-11-24T08:00:00Z"),
        ("trigger.due + duration('90m')", "2026-11-24T09:30:00Z"),
        ("trigger.due.getDayOfWeek()", 2),
        ("trigger.due < timestamp('2027-01-01T00:00:00Z')", True),
        ("duration('1h') + duration('500ms')", "3600.5s"),
        ("b'ab'", "YWI="),
        ("base64.encode(b'ab')", "YWI="),
        ("'a,b'.split(',')", ["a", "b"]),
        ("['a', 'b'].join('-')", "a-b"),
        ("'%s is %d'.format(['a', 1])", "a is 1"),
        ("' x '.trim().upperAscii()", "X"),
        ("'abc'.matches('^a.c$')", True),
        ("math.greatest(1, 5, 3)", 5),
        ("cel.bind(x, 2, x * x)", 4),
        ("'}}' + '${{'", "}}${{"),
        ("1 // a comment", 1),
        ("input.text == 'h\u00e9llo' ? '\U0001f600' : ''", "\U0001f600"),
    ],
)
def test_an_expression_has_a_value(expression: str, value: JsonValue) -> None:
    found = evaluate(expression, VALUES, SCOPE)
    assert json.dumps(found, sort_keys=True) == json.dumps(
        value, sort_keys=True
    )  # 1 is neither 1.0 nor true.


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("input.a.c", "input.a has no 'c'; it has: b"),
        ("input.a.b.c", "input.a.b is a number, so it has no 'c'"),
        ("input.text.x", "input.text is a text, so it has no 'x'"),
        ("input.none.x", "input.none is null, so it has no 'x'"),
        ("input.xs[5]", "input.xs has no item 5, it has 3"),
        ("input.a['c']", "input.a has no 'c'; it has: b"),
        ("stages.fetch.output.body.items", "stages.fetch.output.body has no 'items'; it has: orders"),
        ("{'a': 1}['b']", "there is no 'b'"),
        ("1 / 0", "divide by zero"),
        ("1 % 0", "modulus by zero"),
        ("9223372036854775807 + inputs.count", "integer overflow"),
        ("1.0 / 0.0", "the result inf is not a number that JSON knows"),
        ("int('x')", "cannot convert string to int"),
        ("input.a.b + 'x'", "'+' does not take (int, string); use string(x) to join other values to a text"),
        (
            "input.a.b + 1.5",
            "'+' does not take (int, double); integers and decimals don't mix:"
            " write 1.0 for 1, or use double(x) or int(x)",
        ),
        ("1 +", "the expression ends too early"),
        ("nope", "no name 'nope'; the names are input, inputs, stages, trigger"),
    ],
)
def test_an_expression_without_a_value_says_why(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        evaluate(expression, VALUES, SCOPE)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("inputs.count", None, "inputs.count has no value"),
        ("trigger.due", "soon", "trigger.due is not a time"),
        ("trigger.due", "2026-11-24T09:00:00", "trigger.due is a time without an offset"),
    ],
)
def test_a_variable_needs_a_value_of_its_type(name: str, value: JsonValue, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        evaluate(name, {name: value}, SCOPE)


def test_a_variable_of_any_type_may_be_missing() -> None:
    assert evaluate("input == null", {}, SCOPE) is True


@pytest.mark.parametrize("value", [1 << 70, "\ud800"])
def test_a_value_that_the_engine_cannot_hold_is_an_error(value: JsonValue) -> None:
    with pytest.raises(ExpressionError):
        evaluate("input", {"input": value}, SCOPE)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("no expression", "no expression"),
        ("${{ input.a }}", {"b": 1}),
        (" ${{ 1 }}", " 1"),
        ("${{ 1 }}${{ 2 }}", "12"),
        ("a ${{ 'b' }} c", "a b c"),
        ("${{ input.a }}!", '{"b":1}!'),
        ("${{ input.xs }} ${{ null }} ${{ true }} ${{ 2.0 }}", "[1,2,3] null true 2.0"),
        ("${{ {'a': {'b': 1}}.a.b }}", 1),
        ("${{ '}}' }}", "}}"),
        ("$${{ x }}", "${{ x }}"),
        ("$${{ ${{ 1 }}", "${{ 1"),
        ("$$ ${{ 1 }}", "$$ 1"),
        ("${{\n  1 +\n  2\n}}", 3),
        (
            {"a": ["${{ 1 }}", {"b": "${{ 'x' }}"}], "c": 5, "d": None},
            {"a": [1, {"b": "x"}], "c": 5, "d": None},
        ),
        ({"${{ 1 }}": 1}, {"${{ 1 }}": 1}),
    ],
)
def test_templates_are_resolved_and_whole_ones_keep_their_type(template: JsonValue, value: JsonValue) -> None:
    assert render(template, VALUES, SCOPE) == value


def test_the_fields_of_a_result_are_in_order() -> None:
    expected = 'v: {"a":{"b":1,"y":2},"b":1,"c":4,"z":3}'
    assert render("v: ${{ {'z': 3, 'b': 1, 'a': {'y': 2, 'b': 1}, 'c': 4} }}", VALUES, SCOPE) == expected


def test_an_open_template_is_an_error() -> None:
    with pytest.raises(ExpressionError, match=r"this \$\{\{ has no \}\}"):
        render("a ${{ 1 }", VALUES, SCOPE)


@pytest.mark.parametrize(("expression", "answer"), [("true", True), ("input.no", False), ("1 == 1", True)])
def test_a_condition_holds_or_not(expression: str, answer: bool) -> None:
    assert holds(expression, VALUES, SCOPE) is answer


@pytest.mark.parametrize(("expression", "shown"), [("1", "1"), ("'true'", "true"), ("input.none", "null")])
def test_a_condition_is_true_or_false(expression: str, shown: str) -> None:
    with pytest.raises(ExpressionError, match=f"a condition must be true or false, not {shown}"):
        holds(expression, VALUES, SCOPE)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1", "int"),
        ("inputs.ratio", "double"),
        ("inputs.region", "string"),
        ("input.a", "dyn"),
        ("input.a == 1", "bool"),
        ("[1]", "list<int>"),
        ("{'a': 1}", "map<string, int>"),
        ("trigger.due", "timestamp"),
        ("null", "null"),
    ],
)
def test_a_program_knows_its_type(expression: str, result: str) -> None:
    program = compile_expression(expression, SCOPE)
    assert isinstance(program, Program)
    assert program.result == result


@pytest.mark.parametrize(
    ("expression", "places"),
    [
        ("a + b", [(1, 1), (1, 5)]),
        ("\n 1 +\n  nope", [(3, 3)]),
        ("'\U0001f600' + nope", [(1, 7)]),
        ("(1 + 'x') * (2 + 'y')", [(1, 4), (1, 16)]),
        ("input.a.foo()", [(1, 9)]),
        ("1 +", [(1, 4)]),
        ("", [(1, 1)]),
        ("'ERROR: <input>:7:7: forged' + 1", [(1, 30)]),
        ("1 + " * 3000 + "1", [(1, 1)]),
        ("'\ud800'", [(1, 1)]),
    ],
)
def test_every_error_of_an_expression_has_a_place(expression: str, places: list[tuple[int, int]]) -> None:
    found = compile_expression(expression, SCOPE)
    assert isinstance(found, tuple)
    assert [(problem.line, problem.column) for problem in found] == places
