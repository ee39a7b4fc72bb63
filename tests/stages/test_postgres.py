import asyncio
from collections.abc import Iterator
from datetime import timedelta

import asyncpg
import pytest

from activities.stages.postgres import POSTGRES
from tests.stages.contexts import brief, details, failure, run
from tests.stages.databases import settings_of

INSERT = "insert into orders (id, total) values ($1, $2)"


@pytest.fixture(scope="module")
def stages_url(postgres_url: str) -> Iterator[str]:
    """A database of this module: to make one for each test takes longer than the tests."""
    asyncio.run(_execute(postgres_url, "create database stages"))
    yield f"{postgres_url.rpartition('/')[0]}/stages"
    asyncio.run(_execute(postgres_url, "drop database stages with (force)"))


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


@pytest.fixture
async def orders(stages_url: str) -> dict[str, object]:
    """A connection to a database with the empty table `orders`."""
    empty = "create table orders (id int primary key, total numeric)"
    await _execute(stages_url, "drop table if exists orders, other", empty)
    return settings_of(stages_url)


async def all_orders(connection: dict[str, object]) -> object:
    output = await run(
        POSTGRES, {"sql": "select id, total from orders order by id", "max_rows": 5000}, connection
    )
    return [[row["id"], row["total"]] for row in output["rows"]]


async def test_a_query_gives_rows_and_columns(orders: dict[str, object]) -> None:
    log: list[str] = []
    fields = {"sql": "select $1::int + 1 as n, $2 || 'b' as t", "params": [1, "a"], "mode": "query"}
    output = await run(POSTGRES, fields, orders, log=log)
    assert output == {
        "rows": [{"n": 2, "t": "ab"}],
        "row_count": 1,
        "columns": ["n", "t"],
        "truncated": False,
    }
    assert log == ["1 rows"]


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("insert into orders values (7, 1), (8, 2)", 2),
        ("update orders set total = 0", 2),
        ("delete from orders where id = 1", 1),
        ("delete from orders where id = 99", 0),
        ("create table other ()", 0),
        ("do $$ begin null; end $$", 0),
    ],
)
async def test_a_statement_without_rows_gives_their_number(
    orders: dict[str, object], sql: str, count: int
) -> None:
    await run(POSTGRES, {"sql": INSERT, "rows": [[1, 1], [2, 2]]}, orders)
    output = await run(POSTGRES, {"sql": sql, "mode": "execute"}, orders)
    assert output == {"rows": [], "row_count": count, "columns": [], "truncated": False}


@pytest.mark.parametrize("ending", ["", ";", " ; \n", "\n-- all of them", " on conflict (id) do nothing"])
async def test_many_rows_are_inserted(orders: dict[str, object], ending: str) -> None:
    rows = [[number, number / 4] for number in range(1200)]
    output = await run(POSTGRES, {"sql": INSERT + ending, "rows": rows, "mode": "insert"}, orders)
    assert output == {"rows": [], "row_count": 1200, "columns": [], "truncated": False}
    assert await all_orders(orders) == rows


async def test_rows_that_meet_a_conflict_are_not_counted(orders: dict[str, object]) -> None:
    fields = {"sql": f"{INSERT} on conflict (id) do nothing", "rows": [[1, 1], [1, 2], [2, 2]]}
    assert (await run(POSTGRES, fields, orders))["row_count"] == 2
    assert (await run(POSTGRES, fields, orders))["row_count"] == 0


async def test_no_rows_are_no_error(orders: dict[str, object]) -> None:
    output = await run(POSTGRES, {"sql": INSERT, "rows": []}, orders)
    assert output == {"rows": [], "row_count": 0, "columns": [], "truncated": False}


async def test_rows_can_return_rows(orders: dict[str, object]) -> None:
    fields = {"sql": f"{INSERT} returning id * 10 as ten", "rows": [[1, 1], [2, 2]]}
    output = await run(POSTGRES, fields, orders)
    assert output == {
        "rows": [{"ten": 10}, {"ten": 20}],
        "row_count": 2,
        "columns": ["ten"],
        "truncated": False,
    }


@pytest.mark.parametrize(
    ("bad", "code", "place"),
    [
        ([1, 3], "sql.unique_violation", "duplicate key"),
        (["x", 3], "validation", "rows.2: $1 (int4)"),
        ([3], "validation", "rows.2: the statement takes 2 values, 1 were given"),
        ([2**40, 3], "validation", ""),
    ],
)
async def test_all_rows_are_inserted_or_none(
    orders: dict[str, object], bad: list[object], code: str, place: str
) -> None:
    error = await failure(POSTGRES, {"sql": INSERT, "rows": [[1, 1], [2, 2], bad]}, orders)
    assert (error.code, error.retryable, place in error.message) == (code, False, True)
    assert await all_orders(orders) == []


@pytest.mark.parametrize("sql", ["select 1; drop table orders", "select 1; select 2", "select 1; commit"])
async def test_several_statements_are_refused(orders: dict[str, object], sql: str) -> None:
    error = await failure(POSTGRES, {"sql": sql}, orders)
    assert (error.code, error.retryable) == ("sql.syntax_error", False)
    assert await all_orders(orders) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sql": "select 1", "mode": "execute"}, "mode execute: the statement gives rows"),
        ({"sql": "delete from orders", "mode": "query"}, "mode query: the statement gives no rows"),
        ({"sql": "select $1::int", "params": []}, "the statement takes 1 values, 0 were given"),
        ({"sql": "select $1::int", "params": ["x"]}, "$1 (int4): invalid literal for int()"),
        ({"sql": "select 1 as a, 2 as a"}, "two columns are named 'a'"),
        ({"sql": "select 1", "transaction": False}, "a statement that gives rows needs its transaction"),
        ({"sql": "select $1::text", "params": ["\ud800"]}, ""),
        ({"sql": "select $1::jsonb", "params": [["\ud800"]]}, ""),
        ({"sql": "select $1::int2", "params": [70000]}, ""),
    ],
)
async def test_what_does_not_fit_the_statement_is_refused(
    orders: dict[str, object], fields: dict[str, object], message: str
) -> None:
    error = await failure(POSTGRES, fields, orders)
    assert (error.code, error.retryable) == ("validation", False)
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    ("limits", "fits"),
    [({"max_rows": 100}, True), ({"max_rows": 99}, False), ({"max_bytes": 100}, False)],
)
@pytest.mark.parametrize("way", ["query", "rows"])
async def test_results_have_limits(
    orders: dict[str, object], way: str, limits: dict[str, int], fits: bool
) -> None:
    fields: dict[str, object] = {"sql": "select g from generate_series(1, $1) g", **limits}
    fields |= {"params": [100]} if way == "query" else {"rows": [[50], [50]]}
    if fits:
        assert (await run(POSTGRES, fields, orders))["row_count"] == 100
    else:
        error = await failure(POSTGRES, fields, orders)
        assert (error.code, error.message.split(":")[0]) == ("validation", f"more than {next(iter(limits))}")


async def test_what_returns_too_much_changes_nothing(orders: dict[str, object]) -> None:
    sql = "insert into orders select g, g from generate_series(1, 200) g returning id"
    await failure(POSTGRES, {"sql": sql, "max_rows": 100}, orders)
    assert await all_orders(orders) == []


@pytest.mark.parametrize("is_around", [True, False])
async def test_readonly_forbids_changes(orders: dict[str, object], is_around: bool) -> None:
    fields = {"sql": "insert into orders values (1, 1)", "readonly": True, "transaction": is_around}
    error = await failure(POSTGRES, fields, orders)
    assert error.code == "sql.read_only_sql_transaction"
    assert await all_orders(orders) == []


@pytest.mark.parametrize("sql", ["vacuum orders", "create index concurrently on orders (total)"])
async def test_statements_without_a_transaction(orders: dict[str, object], sql: str) -> None:
    assert (await failure(POSTGRES, {"sql": sql}, orders)).code == "sql.active_sql_transaction"
    output = await run(POSTGRES, {"sql": sql, "transaction": False}, orders)
    assert output == {"rows": [], "row_count": 0, "columns": [], "truncated": False}


@pytest.mark.parametrize(
    ("sql", "code", "retryable"),
    [
        ("insert into orders values (1, 1), (1, 2)", "sql.unique_violation", False),
        ("insert into orders values (null, 1)", "sql.not_null_violation", False),
        (
            "insert into orders select g, 1 / (g - 1) from generate_series(1, 2) g",
            "sql.division_by_zero",
            False,
        ),
        ("select * from nothing", "sql.undefined_table", False),
        ("select nothing from orders", "sql.undefined_column", False),
        ("selec 1", "sql.syntax_error", False),
        ("select 'x'::int", "sql.invalid_text_representation", False),
        ("do $$ begin raise exception 'no'; end $$", "sql.raise_exception", False),
        ("do $$ begin raise sqlstate '40001'; end $$", "sql.serialization_failure", True),
        ("do $$ begin raise sqlstate '40P01'; end $$", "sql.deadlock_detected", True),
        ("do $$ begin raise sqlstate '55P03'; end $$", "sql.lock_not_available", True),
        ("do $$ begin raise sqlstate 'ZZ123'; end $$", "sql.unknown", False),
        ("select pg_terminate_backend(pg_backend_pid())", "connection", True),
    ],
)
async def test_errors_are_typed(orders: dict[str, object], sql: str, code: str, retryable: bool) -> None:
    error = await failure(POSTGRES, {"sql": sql}, orders)
    assert (error.code, error.retryable) == (code, retryable)


async def test_an_error_names_its_places(orders: dict[str, object]) -> None:
    error = await failure(POSTGRES, {"sql": "insert into orders values (1, 1), (1, 2)"}, orders)
    assert details(error) == {
        "sqlstate": "23505",
        "detail": "Key (id)=(1) already exists.",
        "table_name": "orders",
        "constraint_name": "orders_pkey",
    }


async def test_the_server_stops_a_statement_at_the_time_limit(orders: dict[str, object]) -> None:
    limit = timedelta(milliseconds=100)
    error = await failure(POSTGRES, {"sql": "select pg_sleep(60)"}, orders, timeout=limit)
    message = "the statement was stopped: canceling statement due to statement timeout"
    assert brief(error) == ("timeout", message, True)


async def test_a_time_limit_of_many_days_is_no_error(orders: dict[str, object]) -> None:
    assert (await run(POSTGRES, {"sql": "select 1 as n"}, orders, timeout=timedelta(days=300)))["row_count"]


STUBBORN = """do $$ begin loop begin
    perform pg_sleep(600); exception when query_canceled then null;
end; end loop; end $$"""


@pytest.mark.parametrize(
    "fields",
    [
        {"sql": "select pg_sleep(600)"},
        {"sql": "do $$ begin perform pg_sleep(600); end $$", "transaction": False},
        {"sql": "select pg_sleep($1)::text", "rows": [[0], [600]]},
        {"sql": STUBBORN},
    ],
    ids=["query", "bare", "rows", "stubborn"],
)
async def test_a_cancelled_stage_stops_its_statement_on_the_server(
    orders: dict[str, object], stages_url: str, fields: dict[str, object]
) -> None:
    observer = await asyncpg.connect(stages_url)
    of_stage = "select count(*) from pg_stat_activity where application_name = 'cronny'"
    running = asyncio.create_task(run(POSTGRES, fields, orders))
    while not await observer.fetchval(f"{of_stage} and wait_event = 'PgSleep'"):
        assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    async with asyncio.timeout(5):  # The server ends its side a moment after the connection is closed.
        while await observer.fetchval(of_stage):
            pass
    await observer.close()
