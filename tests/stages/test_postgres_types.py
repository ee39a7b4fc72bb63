"""Values on their way into PostgreSQL and back."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from activities.stages.postgres import POSTGRES
from tests.stages.contexts import failure, run
from tests.stages.databases import settings_of


async def read(url: str, sql: str, *params: JsonValue) -> JsonValue:
    output = await run(POSTGRES, {"sql": f"select {sql} as v", "params": list(params)}, settings_of(url))
    value: JsonValue = output["rows"][0]["v"]
    return value


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("null::int", None),
        ("true", True),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", str(2**63)),
        ("1.5::float4", 1.5),
        ("'NaN'::float8", "NaN"),
        ("'-Infinity'::float8", "-Infinity"),
        ("9.99", 9.99),
        ("100::numeric", 100),
        ("1.00", 1.0),
        ("0.1234567890123456789", "0.1234567890123456789"),
        ("repeat('9', 5000)::numeric", "9" * 5000),
        ("'NaN'::numeric", "NaN"),
        ("'ä'", "ä"),
        ("'x'::char(3)", "x  "),
        ("'r'::\"char\"", "r"),
        ("'n'::name", "n"),
        ("'\\x00ff'::bytea", "AP8="),
        ("'2026-03-29 01:30+00'::timestamptz", "2026-03-29T01:30:00+00:00"),
        ("'2026-03-29 01:30'::timestamp", "2026-03-29T01:30:00"),
        ("'2026-03-29'::date", "2026-03-29"),
        ("'01:30'::time", "01:30:00"),
        ("'1 day 2 seconds'::interval", "P1DT2S"),
        ("'-1 year 2 months -3 days 04:05:06.7'::interval", "P-10M-3DT4H5M6.7S"),
        ("'-00:00:01.5'::interval", "PT-1.5S"),
        ("'0'::interval", "PT0S"),
        ("'infinity'::timestamptz", "infinity"),
        ("'-infinity'::date", "-infinity"),
        ("'0044-03-15 BC'::date", "0044-03-15 BC"),
        ("'12026-03-29 01:30'::timestamp", "12026-03-29T01:30:00"),
        ("'24:00'::time", "24:00:00"),
        ("'01:30:00.25+05:30'::timetz", "01:30:00.250000+05:30"),
        ("'1.1'::float4", 1.1),
        ("'Infinity'::numeric", "Infinity"),
        ("array['1 month'::interval]", ["P1M"]),
        ("""row('{"a": 1}'::json, 'infinity'::date)""", [{"a": 1}, "infinity"]),
        ("tstzrange('2026-03-29 01:30+00', null)", None),
        ("'12345678-1234-5678-1234-567812345678'::uuid", "12345678-1234-5678-1234-567812345678"),
        ("""'{"a": [1, null, "x", 1.5]}'::json""", {"a": [1, None, "x", 1.5]}),
        ("""'[1e400, 12345678901234567890]'::jsonb""", None),
        ("""array['{"a": 1}']::jsonb[]""", [{"a": 1}]),
        ("repeat('9', 5000)::json", "9" * 5000),
        ("array[1, null, 3]", [1, None, 3]),
        ("array[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("array['a', 'b']", ["a", "b"]),
        ("row(1, 'x')", None),
        ("int4range(1, 5)", {"lower": 1, "upper": 5, "bounds": "[)", "empty": False}),
        ("'empty'::int4range", {"lower": None, "upper": None, "bounds": "()", "empty": True}),
        ("'10.0.0.1/8'::inet", "10.0.0.1/8"),
        ("'10.0.0.0/8'::cidr", "10.0.0.0/8"),
        ("b'101'", "101"),
        ("'1.2.3'::tsvector", "'1.2.3'"),
        ("'pg_class'::regclass", "pg_class"),
        ("'1.50'::money", "$1.50"),
        ("point(1, 2)", [1.0, 2.0]),
        ("'((0,0),(1,1))'::polygon", [[0.0, 0.0], [1.0, 1.0]]),
        ("'{[1,3), [5,7)}'::int4multirange", None),
        ("'1e400'::json", "1e400"),
        ("'{\"a\": 1}'::json -> 'a'", 1),
    ],
)
async def test_what_comes_back(postgres_url: str, sql: str, value: JsonValue) -> None:
    found = await read(postgres_url, sql)
    expected = {
        "tstzrange('2026-03-29 01:30+00', null)": {
            "lower": "2026-03-29T01:30:00+00:00",
            "upper": None,
            "bounds": "[)",
            "empty": False,
        },
        "'{[1,3), [5,7)}'::int4multirange": [
            {"lower": 1, "upper": 3, "bounds": "[)", "empty": False},
            {"lower": 5, "upper": 7, "bounds": "[)", "empty": False},
        ],
        "row(1, 'x')": [1, "x"],
        """'[1e400, 12345678901234567890]'::jsonb""": ["1" + "0" * 400, "12345678901234567890"],
    }.get(sql, value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("type_", "given_", "text"),
    [
        ("int4", 5, "5"),
        ("int4", "5", "5"),
        ("int4", 5.0, "5"),
        ("int8", 2**63 - 1, str(2**63 - 1)),
        ("float8", 1, "1"),
        ("numeric", "1.10", "1.10"),
        ("numeric", 9.99, "9.99"),
        ("bool", True, "true"),
        ("text", "ä", "ä"),
        ("text", 5, "5"),
        ("text", {"a": [1]}, '{"a": [1]}'),
        ("varchar(2)", "ab", "ab"),
        ("timestamptz", "2026-03-29T01:30:00Z", "2026-03-29 01:30:00+00"),
        ("timestamptz", "2026-03-29", "2026-03-29 00:00:00+00"),
        ("timestamp", "2026-03-29T01:30:00+01:00", "2026-03-29 00:30:00"),
        ("date", "2026-03-29", "2026-03-29"),
        ("time", "01:30", "01:30:00"),
        ("interval", "1h 20m", "01:20:00"),
        ("interval", 90, "00:01:30"),
        ("interval", "P1Y2M-3DT4H5M6.7S", "1 year 2 mons -3 days +04:05:06.7"),
        ("interval", "PT-1.5S", "-00:00:01.5"),
        ("date", "infinity", "infinity"),
        ("date", "0044-03-15 BC", "0044-03-15 BC"),
        ("timestamptz", "-infinity", "-infinity"),
        ("timestamp", "12026-03-29T01:30:00", "12026-03-29 01:30:00"),
        ("time", "24:00", "24:00:00"),
        ("timetz", "01:30:00+05:30", "01:30:00+05:30"),
        ("timetz", "01:30", "01:30:00+00"),
        ("float8", "NaN", "NaN"),
        ("float4", 1.1, "1.1"),
        ("numeric", "Infinity", "Infinity"),
        ("daterange", ["2026-01-01", "infinity"], "[2026-01-01,infinity)"),
        ("uuid", "12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-567812345678"),
        ("bytea", "AP8=", "\\x00ff"),
        ("jsonb", {"a": None}, '{"a": null}'),
        ("jsonb", "text", '"text"'),
        ("json", [1, "ä"], '[1, "ä"]'),
        ("int4[]", [1, None, 3], "{1,NULL,3}"),
        ("int4[]", [[1, 2], [3, 4]], "{{1,2},{3,4}}"),
        ("text[]", ["a", "b c"], '{a,"b c"}'),
        ("jsonb[]", [[1], {"a": 1}], '{[1],"{\\"a\\": 1}"}'),
        ("timestamptz[]", ["2026-03-29T01:30:00Z"], '{"2026-03-29 01:30:00+00"}'),
        ("inet", "10.0.0.1", "10.0.0.1/32"),
        ("int4range", [1, 5], "[1,5)"),
        ("int4range", {"lower": 1, "upper": 5, "bounds": "[)", "empty": False}, "[1,5)"),
        ("money", "1.50", "$1.50"),
        ("regclass", "pg_class", "pg_class"),
        ("bit(3)", "101", "101"),
    ],
)
async def test_what_goes_in(postgres_url: str, type_: str, given_: JsonValue, text: str) -> None:
    assert await read(postgres_url, f"($1::{type_})::text", given_) == text


@pytest.mark.parametrize(
    ("type_", "value"),
    [("date", "tomorrow"), ("date", "2026-02-30"), ("date", "2026-03-29x"), ("interval", "a while"),
     ("interval", "P"), ("time", "25:00"), ("numeric", "x"), ("numeric", True), ("timestamptz", 5)],
)  # fmt: skip
async def test_what_is_no_value_of_its_type_is_refused(
    postgres_url: str, type_: str, value: JsonValue
) -> None:
    fields = {"sql": f"select $1::{type_} as v", "params": [value]}
    error = await failure(POSTGRES, fields, settings_of(postgres_url))
    assert (error.code, error.message.partition(":")[0]) == ("validation", f"$1 ({type_})")


@pytest.mark.parametrize(
    ("declaration", "given_", "back"),
    [
        ("create type thing as enum ('a', 'b')", "b", "b"),
        ("create domain thing as int check (value > 0)", 5, 5),
        ("create domain thing as timestamptz", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00"),
        ("create domain thing as text", "x", "x"),
        ("create type thing as (n int, t text)", [1, "x"], {"n": 1, "t": "x"}),
    ],
)
async def test_types_of_the_database(
    fresh_postgres: str, declaration: str, given_: JsonValue, back: JsonValue
) -> None:
    connection = settings_of(fresh_postgres)
    for sql in (declaration, "create table things (v thing)"):
        await run(POSTGRES, {"sql": sql}, connection)
    fields = {"sql": "insert into things values ($1) returning v", "params": [given_]}
    assert (await run(POSTGRES, fields, connection))["rows"] == [{"v": back}]


WHOLE = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | TEXT,
    lambda child: st.lists(child, max_size=3) | st.dictionaries(TEXT, child, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON, WHOLE, TEXT, st.floats(allow_nan=False, allow_infinity=False))
async def test_json_comes_back_as_it_went_in(
    postgres_url: str, value: JsonValue, whole: int, text: str, number: float
) -> None:
    fields = {
        "sql": "select $1::jsonb as j, $2::int8 as i, $3::text as t, $4::float8 as f",
        "params": [value, whole, text, number],
    }
    output = await run(POSTGRES, fields, settings_of(postgres_url))
    assert output["rows"] == [{"j": value, "i": whole, "t": text, "f": number}]
