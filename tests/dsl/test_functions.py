import json

import pytest
from pydantic import JsonValue

from dsl.cel import ExpressionError, Program, compile_expression, evaluate
from dsl.functions.catalogue import FUNCTIONS
from dsl.functions.function import Function
from dsl.scopes import Scope

SCOPE = Scope.of({"input": "dyn"})
INPUT: JsonValue = {
    "xs": [3, 1, 2],
    "at": "2026-03-29T00:30:00Z",  # half an hour before London's clocks go forward
    "empty": {},
    "deep": "[" * 100_000,
    "orders": [
        {"id": 1, "total": 10, "paid": True, "at": {"day": 2}},
        {"id": 2, "total": 20, "paid": False, "at": {"day": 1}},
    ],
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))
def test_the_example_of_a_function_has_the_value_that_is_shown(function: Function) -> None:
    found = evaluate(function.example, {}, SCOPE)
    assert (found, type(found)) == (function.result, type(function.result))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("input.xs.sort()", [1, 2, 3]),
        ("input.xs.sort().reversed().slice(0, 2)", [3, 2]),
        ("[2, 1.5, 1].sort()", [1, 1.5, 2]),
        ("[timestamp(5), timestamp(3)].sort()[0]", "1970-01-01T00:00:03Z"),
        ("[1, 1.0, true, '1', null, {'a': 1}, {'a': 1}, [1]].distinct().size()", 6),
        ("[].sum()", 0),
        ("[1, 2.5].sum()", 3.5),
        ("input.orders.map(o, o.total).sum()", 30),
        ("input.orders.sortBy('at.day').map(o, o.id)", [2, 1]),
        ("input.orders.groupBy('paid')['true'].map(o, o.id)", [1]),
        ("[[1, [2, [3]]]].flatten(2)", [1, 2, [3]]),
        ("[1, [2, [3]]].flatten(60)", [1, 2, 3]),
        ("[].chunks(3)", []),
        ("['b', 'a'].min() + 'c'", "ac"),
        ("json.parse(json.format(input)) == input", True),
        (
            "json.format({'at': timestamp(0), 'for': duration('90s')}, 0)",
            '{\n"at": "1970-01-01T00:00:00Z",\n"for": "90s"\n}',
        ),
        ("json.format('ü')", '"ü"'),
        ("json.format(null) + json.format(1u) + json.format(b'ab')", 'null1"YWI="'),
        ("json.parse('[9223372036854775807, 1e3]')", [9223372036854775807, 1000.0]),
        ("math.roundTo(double(input.xs[0]) / 7.0, 3)", 0.429),
        ("math.roundTo(1e300, 2)", 1e300),
        ("math.roundTo(-0.125, 2)", -0.13),
        ("'x'.padStart(0) + 'é'.padEnd(2, '…')", "xé…"),
        ("time.format(input.at, '%d.%m.%Y')", "29.03.2026"),
        ("time.add(input.at, 1, 'day', 'Europe/London')", "2026-03-29T23:30:00Z"),
        ("time.add(input.at, 24, 'hour')", "2026-03-30T00:30:00Z"),
        ("time.add(input.at, -1, 'quarter')", "2025-12-29T00:30:00Z"),
        ("time.add('2024-02-29T00:00:00Z', 1, 'year')", "2025-02-28T00:00:00Z"),
        ("time.startOf(input.at, 'week', 'Asia/Tokyo')", "2026-03-22T15:00:00Z"),
        ("time.startOf('2026-05-05T05:05:05.5Z', 'quarter')", "2026-04-01T00:00:00Z"),
        ("time.startOf('2026-05-05T05:05:05.5Z', 'minute')", "2026-05-05T05:05:00Z"),
        ("time.weekday(input.at, 'america/new_york')", "saturday"),
        ("time.inZone(input.at, 'UTC')", "2026-03-29T00:30:00Z"),
        ("time.parse('2026-03-29 01:30 +0200', '%Y-%m-%d %H:%M %z')", "2026-03-28T23:30:00Z"),
        ("time.parse('2026-07-01', '%Y-%m-%d', 'Europe/London') - timestamp('2026-06-30T23:00:00Z')", "0s"),
        ("hash.sha256(b'abc') == hash.sha256('abc')", True),
        ("hash.hmacSha256(b'key', 'abc') == hash.hmacSha256('key', b'abc')", True),
        ("hex.encode(hex.decode('00Ff'))", "00ff"),
        ("url.decode(url.encode('a+b c/ü?&=')) ", "a+b c/ü?&="),
        ("size(hex.decode('00ff00')) == 3 && hex.decode('00ff00') == b'\\x00\\xff\\x00'", True),
        ("[duration('90s'), b'a', 7u].reversed()", [7, "YQ==", "90s"]),
        ("url.query({'q': 'a b', 'n': 1, 'none': null, 'yes': true})", "n=1&q=a+b&yes=true"),
        ("{'b': 1}.merge(input.empty).keys()", ["b"]),
    ],
)
def test_functions_work_together(expression: str, value: JsonValue) -> None:
    found = evaluate(expression, {"input": INPUT}, SCOPE)
    assert json.loads(json.dumps(found), parse_float=str) == json.loads(json.dumps(value), parse_float=str)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("[1, 'a'].sort()", "sort: only numbers, texts or times can be ordered, and only among themselves"),
        ("[true, 1].max()", "max: only numbers, texts or times can be ordered, and only among themselves"),
        ("[[1]].sort()", "sort: only numbers, texts or times can be ordered, and only among themselves"),
        ("[].min()", "min: the list is empty; test its size() first"),
        ("[].average()", "average: the list is empty; test its size() first"),
        ("['1'].sum()", "sum: the list has values that are no numbers"),
        ("[9223372036854775807, 1].sum()", "sum: the result is too large for a whole number"),
        ("[{'a': 1}].sortBy('b')", "sortBy: an item of the list has no 'b'"),
        ("[1].groupBy('b')", "groupBy: an item of the list has no 'b'"),
        (
            "[1].slice(-1, 1)",
            "slice: there is no slice from -1 to 1; indexes count from 0, the end is left out",
        ),
        ("[1].flatten(0)", "flatten: a list is flattened by 1 to 60 levels"),
        ("[1].chunks(0)", "chunks: a chunk has one item at least"),
        ("lists.range(1000000)", "lists.range: a range has 0 to 10000 numbers"),
        (
            "json.parse('{')",
            "json.parse: this is not JSON: Expecting property name enclosed in double quotes at character 2",
        ),
        ("json.parse('NaN')", "json.parse: NaN is not a number that JSON knows"),
        ("json.parse('99999999999999999999')", "json.parse: the number 99999999999999999999 is too large"),
        ("json.parse(input.deep)", "json.parse: the value is nested too deeply"),
        ("json.format(1.0 / 0.0)", "json.format: the result inf is not a number that JSON knows"),
        ("json.format(1, 99)", "json.format: JSON is indented by 0 to 8 spaces"),
        ("math.roundTo(1.5, 99)", "math.roundTo: a number is rounded to 0 to 15 digits"),
        ("math.pow(10.0, 999.0)", "math.pow: the result is too large"),
        ("'a'.padStart(100000)", "padStart: a text is filled up to 10000 characters at most"),
        ("'a'.padEnd(3, 'ab')", "padEnd: a text is filled up with one character"),
        ("'a'.truncate(0)", "truncate: a text is cut to one character at least"),
        ("time.format(input.at, '%Q')", "time.format: a layout has no '%Q'; such as '%Y-%m-%d %H:%M:%S'"),
        (
            "time.format(input.at, '%Y', 'Europe/Londn')",
            "time.format: there is no time zone 'Europe/Londn'; did you mean 'Europe/London'?",
        ),
        ("time.format('soon', '%Y')", "time.format: 'soon' is not a time like 2026-03-20T09:00:00Z"),
        (
            "time.format('2026-03-20T09:00:00', '%Y')",
            "time.format: '2026-03-20T09:00:00' has no offset; read it with time.parse",
        ),
        ("time.parse('x', '%Y')", "time.parse: 'x' is not written like '%Y'"),
        ("time.add(input.at, 1, 'mnth')", "time.add: there is no unit 'mnth'; did you mean 'month'?"),
        ("time.add(input.at, 999999, 'year')", "time.add: the result is no time that a calendar has"),
        ("time.add(input.at, 999999, 'week')", "time.add: the result is no time that a calendar has"),
        ("time.add(input.at, 9999999, 'day')", "time.add: 9999999 days are too many; 1000000 at most"),
        ("json.parse(r'\"a\\u0000b\"')", "json.parse: the result has a zero character (U+0000)"),
        ("json.parse(r'[\"\\ud800\"]')", "json.parse: the result is not Unicode text"),
        ("hex.decode('abc')", "hex.decode: 'abc' is not hexadecimal"),
        ("url.decode('%ff')", "url.decode: what is encoded is no text"),
    ],
)
def test_a_function_that_cannot_says_why(expression: str, message: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        evaluate(expression, {"input": INPUT}, SCOPE)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("'a'.upper()", "string"),
        ("[1].sort()", "list<dyn>"),
        ("[1].sum()", "dyn"),
        ("[1].average()", "double"),
        ("json.format(input)", "string"),
        ("json.parse('1')", "dyn"),
        ("time.add(input.at, 1, 'day')", "timestamp"),
        ("time.weekday(timestamp(0))", "string"),
        ("hex.decode('00')", "bytes"),
        ("{'a': 1}.keys()", "list<dyn>"),
    ],
)
def test_a_function_has_a_type_at_upload(expression: str, result: str) -> None:
    program = compile_expression(expression, SCOPE)
    assert isinstance(program, Program)
    assert program.result == result


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("json.pasre('1')", "no function 'json.pasre'; did you mean 'json.parse'?"),
        ("jsn.parse('1')", "no function 'jsn.parse'; did you mean 'json.parse'?"),
        ("[1].srot()", "no function 'srot'; did you mean 'sort'?"),
        ("'a'.uper()", "no function 'uper'; did you mean 'upper'?"),
        ("upper('a')", "'upper' is called on a value; write text.upper()"),
        ("now()", "no function 'now'"),
        ("json.parse(1)", "'json.parse' does not take (int)"),
        ("'a'.sort()", "'sort' does not take (string)"),
        ("[1].slice('a', 1)", "'slice' does not take (list(int), string, int)"),
        ("time.add(timestamp(0), '1', 'day')", "'time.add' does not take (timestamp, string, string)"),
    ],
)
def test_a_wrong_call_is_found_at_upload(expression: str, message: str) -> None:
    found = compile_expression(expression, SCOPE)
    assert isinstance(found, tuple)
    assert "; ".join(filter(None, (found[0].what, found[0].hint))) == message


def test_an_upload_calls_no_function() -> None:
    assert isinstance(compile_expression("lists.range(-1)", SCOPE), Program)
