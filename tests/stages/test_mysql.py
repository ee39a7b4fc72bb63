"""What is MySQL's own; tests/stages/test_sql.py has what it shares with PostgreSQL."""

import asyncio

import pytest

from activities.stages.kind import StageError
from activities.stages.mysql import MYSQL
from activities.stages.mysql_batches import repeated, rows_at_once
from activities.stages.mysql_errors import failure as failure_of
from activities.stages.mysql_errors import refusal
from tests.servers.mariadb import Server
from tests.stages.contexts import brief, details, failure, run

ORDERS = "create table orders (id int auto_increment primary key, total int, note varchar(20) default 'new')"


@pytest.fixture
def orders(mysql_server: Server) -> dict[str, object]:
    """A connection to a database with the empty table `orders`."""
    mysql_server.execute("use stages", "drop table if exists orders, other", ORDERS)
    return mysql_server.settings()


def count(server: Server) -> int:
    return int(server.execute("select count(*) from stages.orders")[0][0])


async def test_the_last_id_is_told(orders: dict[str, object]) -> None:
    insert = {"sql": "insert into orders (total) values (?)"}
    statements = [
        {**insert, "params": [5]},
        {"sql": "insert into orders (total) values (last_insert_id() + 10)"},
        {"sql": "select total from orders order by id"},
    ]
    results = (await run(MYSQL, {"statements": statements}, orders))["results"]
    assert [result["last_insert_id"] for result in results] == [1, 2, None]
    assert results[2]["rows"] == [{"total": 5}, {"total": 11}]


@pytest.mark.parametrize(
    "sql",
    [
        "insert into orders (id, total) values (?, ?)",
        "INSERT INTO orders (total, id, note)\nVALUES ( ?, ?, 'values (1)' ) -- all",
        "insert into orders (id, total) values (?, (select ? + count(*) * 0 from information_schema.tables))",
        "replace into orders values (?, ?, default)",
        "insert into orders (id, total, note) values (?, ?, now()) on duplicate key update total = 1",
        "insert into orders set id = ?, total = ?",
    ],
)
async def test_rows_are_inserted_by_any_statement(
    mysql_server: Server, orders: dict[str, object], sql: str
) -> None:
    rows = [[number, number] for number in range(1, 31)]
    assert (await run(MYSQL, {"sql": sql, "rows": rows}, orders))["row_count"] == 30
    assert count(mysql_server) == 30


async def test_an_insert_can_return_rows(orders: dict[str, object]) -> None:
    fields = {"sql": "insert into orders (total) values (?) returning id, total", "rows": [[5], [6]]}
    output = await run(MYSQL, fields, orders)
    assert output["rows"] == [{"id": 1, "total": 5}, {"id": 2, "total": 6}]


async def test_an_error_says_among_which_rows_it_is(mysql_server: Server, orders: dict[str, object]) -> None:
    rows = [[number] for number in range(1, 1501)] + [[7]]
    error = await failure(MYSQL, {"sql": "insert into orders (id) values (?)", "rows": rows}, orders)
    assert brief(error) == (
        "sql.unique_violation",
        "rows.1000 to rows.1500: Duplicate entry '7' for key 'PRIMARY'",
        False,
    )
    assert (details(error), count(mysql_server)) == ({"number": 1062, "sqlstate": "23000"}, 0)


@pytest.mark.parametrize(
    ("sql", "parameters", "is_repeated"),
    [
        ("insert into t values (?, ?)", 2, True),
        ("insert into t values (?, lower(?))", 2, True),
        ("insert into t values (?, '?')", 1, False),
        ("insert into t values (?) on duplicate key update a = ?", 2, False),
        ("insert into t values (?, (select max(a) from t))", 1, False),
        ("update t set a = values (?)", 1, False),
        ("insert into t values (1)", 0, False),
    ],
)
def test_what_is_repeated(sql: str, parameters: int, is_repeated: bool) -> None:
    assert (repeated(sql, parameters, 3) is not None) is is_repeated


def test_a_statement_has_no_more_parameters_than_the_protocol_counts() -> None:
    assert [rows_at_once(parameters) for parameters in (1, 100, 40_000)] == [1000, 655, 1]


async def test_a_statement_that_ends_the_transaction_is_an_error(orders: dict[str, object]) -> None:
    statements = [{"sql": "create table other (n int)"}, {"sql": "insert into orders (total) values (1)"}]
    error = await failure(MYSQL, {"statements": statements}, orders)
    assert (error.code, error.message[:40]) == ("validation", "statements.0: it has ended the transacti")


async def test_an_update_counts_the_rows_it_finds(orders: dict[str, object]) -> None:
    await run(MYSQL, {"sql": "insert into orders (total) values (1), (2)"}, orders)
    assert (await run(MYSQL, {"sql": "update orders set total = total"}, orders))["row_count"] == 2


async def test_a_procedure_gives_its_result(mysql_server: Server, orders: dict[str, object]) -> None:
    one = "create or replace procedure one(x int) select x + 1 as y"
    two = "create or replace procedure two() begin select 1 as a; select 2 as b; end"
    mysql_server.execute("use stages", one, two)
    assert (await run(MYSQL, {"sql": "call one(?)", "params": [4]}, orders))["rows"] == [{"y": 5}]
    error = await failure(MYSQL, {"sql": "call two()"}, orders)
    assert brief(error) == ("validation", "the procedure gives several results; a stage takes one", False)


async def test_the_session_is_in_utc_and_utf8(orders: dict[str, object]) -> None:
    sql = "select @@time_zone as z, @@character_set_client as c, @@local_infile is not null as l"
    assert (await run(MYSQL, {"sql": sql}, orders))["rows"] == [{"z": "+00:00", "c": "utf8mb4", "l": 1}]


@pytest.mark.parametrize(
    "sql", ["set @a = 1", "flush tables", "analyze table orders", "show tables", "explain select 1"]
)
async def test_statements_of_other_kinds(orders: dict[str, object], sql: str) -> None:
    assert (await run(MYSQL, {"sql": sql, "transaction": False}, orders))["truncated"] is False


@pytest.mark.parametrize(
    ("number", "code", "retryable"),
    [
        (1213, "sql.deadlock_detected", True),
        (1205, "sql.lock_not_available", True),
        (1317, "sql.query_canceled", True),
        (3819, "sql.check_violation", False),
        (1451, "sql.foreign_key_violation", False),
        (3024, "timeout", True),
        (1969, "timeout", True),
        (1045, "auth", False),
        (1053, "connection", True),
        (1243, "sql.unknown_stmt_handler", False),
        (60000, "sql.unknown", False),
    ],
)
def test_errors_are_typed(number: int, code: str, retryable: bool) -> None:
    packet = b"\xff" + number.to_bytes(2, "little") + b"#HY000what went wrong"
    error = failure_of(refusal(packet))
    assert (error.code, error.retryable, "what went wrong" in error.message) == (code, retryable, True)


async def test_a_lock_that_is_held_is_worth_another_attempt(orders: dict[str, object]) -> None:
    await run(MYSQL, {"sql": "insert into orders (total) values (1)"}, orders)
    hold = {"statements": [{"sql": "update orders set total = 2"}, {"sql": "select sleep(602) as n"}]}
    holder = asyncio.create_task(run(MYSQL, hold, orders))
    error: StageError | None = None
    while error is None and not holder.done():
        try:
            await run(MYSQL, {"sql": "select total from orders for update nowait"}, orders)
        except StageError as caught:
            error = caught
    holder.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holder
    assert error is not None
    assert (error.code, error.retryable) == ("sql.lock_not_available", True)


async def test_a_cancelled_stage_rolls_back(mysql_server: Server, orders: dict[str, object]) -> None:
    hold = [{"sql": "insert into orders (total) values (1)"}, {"sql": "select sleep(603) as n"}]
    running = asyncio.create_task(run(MYSQL, {"statements": hold}, orders))
    find = "select id from information_schema.processlist where info like 'select sleep(603)%'"
    while not (found := await asyncio.to_thread(mysql_server.execute, find)):
        assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    gone = f"select id from information_schema.processlist where id = {found[0][0]}"
    async with asyncio.timeout(10):
        while await asyncio.to_thread(mysql_server.execute, gone):
            pass
    assert count(mysql_server) == 0
