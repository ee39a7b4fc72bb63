"""What holds for each kind of SQL."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from activities.stages.kind import StageError
from activities.stages.mysql import MysqlWith
from activities.stages.postgres import PostgresWith
from tests.stages import contexts
from tests.stages.contexts import details
from tests.stages.databases import Database

INSERT = "insert into orders (id, total) values (?, ?)"


async def test_a_query_gives_rows_and_columns(database: Database) -> None:
    output = await database.run(sql="select 1 as n, 'a' as t", mode="query", readonly=True)
    expected = {"rows": [{"n": 1, "t": "a"}], "row_count": 1, "columns": ["n", "t"], "truncated": False}
    assert {**output, **expected} == output


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("insert into orders values (7, 1), (8, 2)", 2),
        ("update orders set total = 1", 2),
        ("update orders set total = total", 2),
        ("delete from orders where id = 99", 0),
        ("create table other (n int)", 0),
    ],
)
async def test_a_statement_without_rows_gives_their_number(database: Database, sql: str, count: int) -> None:
    database.execute("drop table if exists other", "insert into orders values (1, 1), (2, 2)", "select 1")
    output = await database.run(sql=sql, mode="execute")
    assert (output["rows"], output["row_count"], output["columns"]) == ([], count, [])


async def test_many_rows_are_inserted(database: Database) -> None:
    rows = [[number, number * 2] for number in range(2500)]
    assert (await database.run(sql=INSERT, rows=rows, mode="insert"))["row_count"] == 2500
    assert database.orders() == rows


@pytest.mark.parametrize(
    ("bad", "code"),
    [([1, 3], "sql.unique_violation"), ([None, 3], "sql.not_null_violation"), ([3], "validation")],
)
async def test_all_rows_are_inserted_or_none(database: Database, bad: list[Any], code: str) -> None:
    error = await database.failure(sql=INSERT, rows=[*([n, n] for n in range(1500)), bad])
    assert (error.code, error.retryable) == (code, False)
    assert database.orders() == []


async def test_several_statements_are_one_transaction(database: Database) -> None:
    output = await database.run(
        statements=[
            {"sql": INSERT, "rows": [[1, 10], [2, 20]]},
            {"sql": "update orders set total = total - ? where id = ?", "params": [4, 1]},
            {"sql": "select id, total from orders where total > ? order by id", "params": [5]},
        ]
    )
    assert [result["row_count"] for result in output["results"]] == [2, 1, 2]
    assert output["results"][2]["rows"] == [{"id": 1, "total": 6}, {"id": 2, "total": 20}]
    assert database.orders() == [[1, 6], [2, 20]]


async def test_a_statement_that_fails_takes_those_before_it_back(database: Database) -> None:
    twice = {"sql": INSERT, "params": [1, 1]}
    error = await database.failure(statements=[twice, twice])
    assert (error.code, error.message[:14]) == ("sql.unique_violation", "statements.1: ")
    assert database.orders() == []


async def test_another_number_of_rows_than_expected_changes_nothing(database: Database) -> None:
    taken = {"sql": "update orders set total = total - 5 where id = 1", "expect_row_count": 1}
    error = await database.failure(statements=[{"sql": INSERT, "params": [2, 2]}, taken])
    assert (error.code, error.retryable, details(error)) == ("sql.row_count", False, {"row_count": 0})
    assert database.orders() == []


@pytest.mark.parametrize("sql", ["select 1; drop table orders", "select 1; select 2", "select 1; commit"])
async def test_several_statements_in_one_text_are_refused(database: Database, sql: str) -> None:
    error = await database.failure(sql=sql)
    assert (error.code, error.retryable) == ("sql.syntax_error", False)
    assert database.orders() == []


@pytest.mark.parametrize(
    "statements",
    [
        ["insert into orders values (1, 1)"],
        ["create table forbidden (n int)"],
        ["select 1 as n", "insert into orders values (1, 1)"],
        ["set transaction read write", "insert into orders values (1, 1)"],
        ["set session transaction read write", "insert into orders values (1, 1)"],
    ],
)
async def test_the_server_keeps_a_readonly_stage_from_writing(
    database: Database, statements: list[str]
) -> None:
    error = await database.failure(statements=[{"sql": sql} for sql in statements], readonly=True)
    assert error.code.startswith("sql.")
    assert database.orders() == []


async def test_readonly_holds_without_a_transaction(database: Database) -> None:
    error = await database.failure(sql="insert into orders values (1, 1)", readonly=True, transaction=False)
    assert error.code == "sql.read_only_sql_transaction"


@pytest.mark.parametrize(
    ("limits", "fits"),
    [({"max_rows": 100}, True), ({"max_rows": 99}, False), ({"max_bytes": 100}, False)],
)
async def test_results_have_limits(database: Database, limits: dict[str, int], fits: bool) -> None:
    sql = f"select n from ({database.many.replace('1000000000', '100')}) t"
    if fits:
        assert (await database.run(sql=sql, **limits))["row_count"] == 100
    else:
        error = await database.failure(sql=sql, **limits)
        assert (error.code, error.message.split(":")[0]) == ("validation", f"more than {next(iter(limits))}")


async def test_a_result_without_end_is_stopped(database: Database) -> None:
    error = await database.failure(sql=database.many, max_rows=100_000, max_bytes=10_000)
    assert error.message.startswith("more than max_bytes: 10000")


async def test_a_result_can_be_cut_off(database: Database) -> None:
    statements = [{"sql": "select 7 as n"}, {"sql": database.many}, {"sql": "select 8 as n"}]
    output = await database.run(statements=statements, readonly=True, max_rows=3, on_limit="truncate")
    found = [([row["n"] for row in result["rows"]], result["truncated"]) for result in output["results"]]
    assert found == [([7], False), ([1, 2], True), ([], True)]


async def test_a_single_value_beyond_the_limit_is_not_held(database: Database) -> None:
    error = await database.failure(sql="select repeat('x', 10000000) as n", max_bytes=1000)
    assert error.message.startswith("more than max_bytes: 1000")


@pytest.mark.parametrize("way", ["sql", "statements"])
async def test_the_mode_is_checked(database: Database, way: str) -> None:
    error = await database.failure(sql="delete from orders", mode="query")
    assert error.message == "mode query: the statement gives no rows"
    error = await database.failure(sql="select 1 as n", mode="execute")
    assert error.message == "mode execute: the statement gives rows"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("select * from nothing", "undefined_table"),
        ("select nothing from orders", "undefined_column"),
        ("selec 1", "syntax_error"),
        ("insert into orders values (1, 1), (1, 2)", "unique_violation"),
        ("insert into orders (total) values (1)", "not_null_violation"),
        ("insert into orders values (3000000000, 1)", "numeric_value_out_of_range"),
        ("create table orders (n int)", "duplicate_table"),
    ],
)
async def test_errors_have_the_same_names(database: Database, sql: str, code: str) -> None:
    error = await database.failure(sql=sql)
    assert (error.code, error.retryable) == (f"sql.{code}", False)


async def test_a_deadlock_is_worth_another_attempt(database: Database) -> None:
    database.execute("insert into orders values (1, 0), (2, 0)", "select 1")

    async def update(*ids: int) -> str:
        found = [{"sql": "update orders set total = total + 1 where id = ?", "params": [id_]} for id_ in ids]
        pause = {"sql": database.sleep.replace("600", "0.3")}
        try:
            await database.run(statements=[found[0], pause, found[1]])
        except StageError as error:
            return f"{error.code}, {error.retryable}"
        return ""

    ended = {""}
    while ended == {""}:  # They may not have met each other.
        ended = set(await asyncio.gather(update(1, 2), update(2, 1)))
    assert ended == {"", "sql.deadlock_detected, True"}


async def test_the_server_stops_a_statement_at_the_time_limit(database: Database) -> None:
    limit = timedelta(milliseconds=200)
    error = await contexts.failure(database.kind, {"sql": database.sleep}, database.connection, timeout=limit)
    assert (error.code, error.retryable) == ("timeout", True)


@pytest.mark.parametrize("is_timeout", [True, False])
async def test_a_stage_that_ends_stops_its_query_on_the_server(database: Database, is_timeout: bool) -> None:
    running = asyncio.create_task(database.run(sql=database.sleep))
    while not await database.running():
        assert not running.done()
    if is_timeout:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(running, 0.01)
    else:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    async with asyncio.timeout(10):  # The server ends its side a moment after it was told to.
        while await database.running():
            pass


async def test_no_state_is_left(database: Database) -> None:
    await database.run(sql="create temporary table left_over (n int)")
    error = await database.failure(sql="select * from left_over")
    assert error.code == "sql.undefined_table"


@pytest.mark.parametrize("isolation", ["read_committed", "repeatable_read", "serializable"])
async def test_the_isolation_is_that_of_the_transaction(database: Database, isolation: str) -> None:
    show = "@@tx_isolation" if database.kind.name == "mysql" else "current_setting('transaction_isolation')"
    output = await database.run(sql=f"select {show} as level", isolation=isolation)
    assert output["rows"][0]["level"].lower().replace("-", "_").replace(" ", "_") == isolation


@pytest.mark.parametrize("model", [MysqlWith, PostgresWith])
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"params": [1], "rows": [[1]]}, "give params or rows"),
        ({"rows": [[1]], "transaction": False}, "rows, statements and expect_row_count need the transaction"),
        ({"expect_row_count": 1, "transaction": False}, "need the transaction"),
        ({"isolation": "serializable", "transaction": False}, "isolation is that of the transaction"),
        ({"mode": "insert"}, "mode insert and rows belong together"),
        ({"mode": "query", "rows": []}, "mode insert and rows belong together"),
        ({"statements": [{"sql": "select 1"}]}, "give either sql or statements"),
        ({"sql": None}, "give either sql or statements"),
        ({"sql": None, "params": [1], "statements": [{"sql": "select 1"}]}, "params belongs to sql"),
        ({"sql": None, "statements": [{"sql": "x", "params": [1], "rows": []}]}, "give params or rows"),
        ({"on_limit": "truncate"}, "add readonly: true"),
        ({"max_rows": -1}, "greater than or equal to 0"),
        ({"sql": "select '${{ inputs.x }}'"}, "values go in as parameters"),
        ({"sql": " ;\n"}, "there is no statement"),
        ({"sql": "/* a */ -- b\n COMMIT"}, "begins and ends its transaction by itself"),
        ({"sql": "start  transaction"}, "begins and ends its transaction by itself"),
        ({"sql": "rollback"}, "begins and ends its transaction by itself"),
        ({"sql": "copy orders from program 'id'"}, "moves no files"),
        ({"sql": "(/**/Load\ndata local infile '/etc/passwd' into table orders"}, "moves no files"),
        ({"sql": "/*!50000 load data infile 'x' into table orders */"}, "moves no files"),
    ],
)
def test_fields_that_are_refused(model: type[MysqlWith], fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        model.model_validate({"sql": "select 1", **fields})


@pytest.mark.parametrize(
    "sql", ["rollback to savepoint a", "begin not atomic select 1; end", "with a as (select 1)"]
)
def test_what_only_looks_like_the_end_of_a_transaction_is_taken(sql: str) -> None:
    assert MysqlWith(sql=sql).sql == sql
