"""Values on their way into MySQL and back."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from activities.stages.mysql import MYSQL
from tests.servers.mariadb import Server
from tests.stages.contexts import brief, failure, run
from tests.stages.test_postgres_types import JSON, TEXT, WHOLE


async def read(server: Server, sql: str, *params: JsonValue) -> JsonValue:
    fields = {"sql": f"select {sql} as v", "params": list(params)}
    value: JsonValue = (await run(MYSQL, fields, server.settings()))["rows"][0]["v"]
    return value


@pytest.mark.parametrize(
    ("type_", "literal", "value"),
    [
        ("int", "null", None),
        ("bool", "true", 1),
        ("tinyint", "-128", -128),
        ("tinyint unsigned", "255", 255),
        ("smallint", "-32768", -32768),
        ("mediumint", "-8388608", -8388608),
        ("mediumint unsigned", "16777215", 16777215),
        ("int unsigned", "4294967295", 4294967295),
        ("bigint", "9223372036854775807", 2**63 - 1),
        ("bigint unsigned", "9223372036854775807", 2**63 - 1),
        ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
        ("year", "2026", 2026),
        ("float", "1.1", 1.1),
        ("double", "1.1", 1.1),
        ("double", "1e308", 1e308),
        ("decimal(10,2)", "9.99", 9.99),
        ("decimal(10,2)", "1", 1.0),
        ("decimal(30,0)", "100", 100),
        ("decimal(30,0)", "9223372036854775808", "9223372036854775808"),
        ("decimal(30,19)", "0.1234567890123456789", "0.1234567890123456789"),
        ("bit(1)", "b'1'", 1),
        ("bit(12)", "b'101'", 5),
        ("bit(64)", "~0", str(2**64 - 1)),
        ("date", "'2026-03-29'", "2026-03-29"),
        ("date", "'0000-00-00'", "0000-00-00"),
        ("date", "'2026-00-00'", "2026-00-00"),
        ("datetime", "'0000-00-00 00:00:00'", "0000-00-00T00:00:00"),
        ("datetime", "'2026-03-29 01:30:00'", "2026-03-29T01:30:00"),
        ("datetime(6)", "'2026-03-29 01:30:00.000250'", "2026-03-29T01:30:00.000250"),
        ("timestamp", "'2026-03-29 01:30:00'", "2026-03-29T01:30:00+00:00"),
        ("timestamp", "'0000-00-00 00:00:00'", "0000-00-00T00:00:00"),
        ("time", "'01:30:00'", "01:30:00"),
        ("time(3)", "'-838:59:58.5'", "-838:59:58.500000"),
        ("char(3)", "'x'", "x"),
        ("varchar(20)", "'ä🐘'", "ä🐘"),
        ("varchar(20) character set latin1", "'ä'", "ä"),
        ("text", "''", ""),
        ("varbinary(4)", "x'00ff'", "AP8="),
        ("blob", "x'00ff'", "AP8="),
        ("enum('a','b')", "'b'", "b"),
        ("set('a','b','c')", "'c,a'", "a,c"),
        ("json", """'{"a": [1, null, "x", 1.5, 12345678901234567890]}'""", None),
        ("uuid", "'12345678-1234-5678-1234-567812345678'", "12345678-1234-5678-1234-567812345678"),
        ("inet6", "'::1'", "::1"),
    ],
)
async def test_what_comes_back(mysql_server: Server, type_: str, literal: str, value: JsonValue) -> None:
    table = f"create table kept (v {type_} null)"
    zeros = "set sql_mode = ''"
    mysql_server.execute(
        "use stages", zeros, "drop table if exists kept", table, f"insert into kept values ({literal})"
    )
    found = (await run(MYSQL, {"sql": "select v from kept"}, mysql_server.settings()))["rows"][0]["v"]
    expected = {"a": [1, None, "x", 1.5, "12345678901234567890"]} if type_ == "json" else value
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("type_", "given_", "text"),
    [
        ("int", 5, "5"),
        ("int", "5", "5"),
        ("bool", True, "1"),
        ("bigint", -(2**63), str(-(2**63))),
        ("bigint unsigned", 2**64 - 1, str(2**64 - 1)),
        ("decimal(30,0)", 2**70, str(2**70)),
        ("decimal(10,2)", 9.99, "9.99"),
        ("decimal(40,20)", "0.12345678901234567891", "0.12345678901234567891"),
        ("double", 1, "1"),
        ("varchar(20)", "ä'\"\\🐘", "ä'\"\\🐘"),
        ("varchar(20)", 5, "5"),
        ("json", {"a": ["ä", None]}, '{"a": ["ä", null]}'),
        ("datetime", "2026-03-29T01:30:00Z", "2026-03-29 01:30:00"),
        ("datetime(6)", "2026-03-29T01:30:00.25+02:00", "2026-03-28 23:30:00.250000"),
        ("timestamp", "2026-03-29T01:30:00+02:00", "2026-03-28 23:30:00"),
        ("datetime", "2026-03-29 01:30:00", "2026-03-29 01:30:00"),
        ("date", "2026-03-29", "2026-03-29"),
        ("date", "2026-03-29T01:30:00Z", "2026-03-29"),
        ("time", "-01:30", "-01:30:00"),
        ("bit(12)", 5, "\x00\x05"),
        ("enum('a','b')", "b", "b"),
        ("varchar(4)", None, None),
    ],
)
async def test_what_goes_in(mysql_server: Server, type_: str, given_: JsonValue, text: str | None) -> None:
    mysql_server.execute("use stages", "drop table if exists given", f"create table given (v {type_} null)")
    fields = {"sql": "insert into given values (?)", "params": [given_]}
    await run(MYSQL, fields, mysql_server.settings())
    assert mysql_server.execute("use stages", "select cast(v as char) from given") == [(text,)]


async def test_bytes_go_in_as_base64(mysql_server: Server) -> None:
    assert await read(mysql_server, "hex(from_base64(?))", "AP8=") == "00FF"


@pytest.mark.parametrize("value", ["\ud800", ["\ud800"], float("inf")])
async def test_what_no_database_can_hold_is_refused(mysql_server: Server, value: JsonValue) -> None:
    error = await failure(MYSQL, {"sql": "select ? as v", "params": [value]}, mysql_server.settings())
    assert (error.code, error.message[:24]) == ("validation", "a value cannot be sent: ")


async def test_a_value_is_never_read_as_sql(mysql_server: Server) -> None:
    value = "x'; drop table orders; -- ?\\"
    assert await read(mysql_server, "concat(?, '?')", value) == value + "?"


async def test_two_columns_of_one_name_are_an_error(mysql_server: Server) -> None:
    error = await failure(MYSQL, {"sql": "select 1 as a, 2 as a"}, mysql_server.settings())
    what = "two columns are named 'a'; give one of them another name with `as`"
    assert brief(error) == ("validation", what, False)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON, WHOLE, TEXT, st.floats(allow_nan=False, allow_infinity=False))
async def test_values_come_back_as_they_went_in(
    mysql_server: Server, value: JsonValue, whole: int, text: str, number: float
) -> None:
    fields = {
        "sql": "select json_extract(?, '$.v') as j, ? as i, concat(?) as t, ? as f",
        "params": [{"v": value}, whole, f"x{text}", number],
    }
    output = await run(MYSQL, fields, mysql_server.settings())
    row = output["rows"][0]
    assert (row["j"], row["i"], row["t"], row["f"]) == (value, whole, f"x{text}", number)
