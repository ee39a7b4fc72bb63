"""The kind `postgres`: one statement, once or for many rows, in one transaction."""

import json
import re
from collections import Counter
from datetime import timedelta
from typing import Literal, TypeAlias

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from pydantic import Field, JsonValue, field_validator, model_validator

from activities.stages.kind import Block, ConnectionContext, Kind, StageContext
from activities.stages.postgres_connection import PostgresConnection, connected
from activities.stages.postgres_errors import failure, invalid, no_connection
from activities.stages.postgres_parameters import parameters
from activities.stages.postgres_results import row
from cronny.errors import EgressDenied

FETCH = 50  # rows at a time: few enough to notice in time that they are too large.
SENT = 500  # rows at a time: few enough that a result beyond the limits ends it soon.
LONGEST_TIMEOUT = 2**31 - 1  # milliseconds, 24 days; PostgreSQL takes no more.

# Only the stubs of asyncpg know these as generic.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Statement: TypeAlias = "PreparedStatement[asyncpg.Record]"


class PostgresWith(Block):
    """The `with:` block of `postgres`."""

    sql: str = Field(
        description="One statement; values go to `$1`, `$2`, …", json_schema_extra={"x-verbatim": True}
    )
    params: list[JsonValue] = Field([], description="The values of `$1`, `$2`, …")
    rows: list[list[JsonValue]] | None = Field(
        None,
        description="Executes the statement once for each of these lists of values; all of them or none.",
    )
    mode: Literal["query", "execute", "insert"] | None = Field(
        None, description="Found from the statement; given, anything else is an error."
    )
    max_rows: int = Field(1000, ge=0, le=100_000, description="A result with more rows is an error.")
    max_bytes: int = Field(1_000_000, ge=0, le=16_000_000, description="A larger result is an error.")
    readonly: bool = Field(False, description="Forbid the statement to change anything.")
    transaction: bool = Field(
        True, description="`false` for statements like `vacuum`, which allow none around them."
    )

    @field_validator("sql")
    @classmethod
    def _has_no_expression(cls, sql: str) -> str:
        if "${{" in sql:
            raise ValueError("values go to $1, $2, … through params, never into the text")
        return sql

    @model_validator(mode="after")
    def _fits_mode(self) -> "PostgresWith":
        if self.params and self.rows is not None:
            raise ValueError("give params or rows")
        if self.rows is not None and not self.transaction:
            raise ValueError("rows are inserted in a transaction")
        if self.mode is not None and (self.mode == "insert") != (self.rows is not None):
            raise ValueError("mode insert and rows belong together")
        return self


Context = StageContext[PostgresWith, PostgresConnection]


async def run(context: Context) -> JsonValue:
    """The rows, their number (or that of the rows affected), and the columns."""
    try:
        async with connected(context.connection, context.egress) as connection:
            output = await _execute(connection, context.with_, context.timeout)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise failure(error) from error
    except (OSError, EgressDenied) as error:
        raise no_connection(error, context.connection.host) from error
    context.log(f"{output['row_count']} rows")
    return output


async def check_connection(context: ConnectionContext[PostgresConnection]) -> str:
    """Log in and ask the server for its version."""
    try:
        async with connected(context.connection, context.egress) as connection:
            version = await connection.fetchval("select current_setting('server_version')")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise failure(error) from error
    except (OSError, EgressDenied) as error:
        raise no_connection(error, context.connection.host) from error
    return f"PostgreSQL {version} lets {context.connection.user} in"


async def _execute(connection: Connection, fields: PostgresWith, limit: timedelta) -> dict[str, JsonValue]:
    milliseconds = min(max(1, round(limit.total_seconds() * 1000)), LONGEST_TIMEOUT)
    scope = "local" if fields.transaction else "session"
    around = connection.transaction(readonly=fields.readonly) if fields.transaction else None
    if around is not None:
        await around.start()
    await connection.execute(f"set {scope} statement_timeout = {milliseconds}")
    if fields.readonly and around is None:
        await connection.execute("set session default_transaction_read_only = on")
    statement = await connection.prepare(fields.sql)
    if fields.rows is not None:
        output = await _execute_many(connection, statement, fields, fields.rows)
    else:
        output = await _execute_once(statement, fields)
    if around is not None:
        await around.commit()  # Without it, closing the connection rolls back: also when nothing answers.
    return output


async def _execute_once(statement: Statement, fields: PostgresWith) -> dict[str, JsonValue]:
    values = _values(fields.params, statement)
    has_columns = bool(statement.get_attributes())
    if fields.mode is not None and has_columns != (fields.mode == "query"):
        raise invalid(f"mode {fields.mode}: the statement gives {'rows' if has_columns else 'no rows'}")
    result = _Result(statement, fields)
    if not has_columns:
        await statement.fetch(*values)
        return result.output(_affected(statement.get_statusmsg()))
    if not fields.transaction:  # Only within one can a result be fetched bit by bit.
        raise invalid("a statement that gives rows needs its transaction")
    async for record in statement.cursor(*values, prefetch=FETCH):
        result.add(record)
    return result.output(len(result.rows))


async def _execute_many(
    connection: Connection, statement: Statement, fields: PostgresWith, rows: list[list[JsonValue]]
) -> dict[str, JsonValue]:
    values = [_values(values, statement, f"rows.{index}: ") for index, values in enumerate(rows)]
    result = _Result(statement, fields)
    if not statement.get_attributes():
        counting = await _counting(connection, fields.sql)
        if counting is None:
            await statement.executemany(values)
            return result.output(len(values))
        return result.output(len(await counting.fetchmany(values)))
    for start in range(0, len(values), SENT):
        for record in await statement.fetchmany(values[start : start + SENT]):
            result.add(record)
    return result.output(len(result.rows))


async def _counting(connection: Connection, sql: str) -> "Statement | None":
    """The statement with a row for each row it affects, since the driver counts none when it sends many."""
    try:
        async with connection.transaction():
            return await connection.prepare(re.sub(r"[;\s]+$", "", sql) + "\nreturning 1")
    except asyncpg.PostgresSyntaxError:
        return None


class _Result:
    """The rows so far, within the limits."""

    def __init__(self, statement: Statement, fields: PostgresWith) -> None:
        columns = statement.get_attributes()
        name, times = next(iter(Counter(column.name for column in columns).most_common(1)), ("", 0))
        if times > 1:  # A row is a map of its columns.
            raise invalid(f"two columns are named '{name}'; give one of them another name with `as`")
        self._types = {column.name: column.type for column in columns}
        self._fields = fields
        self._size = 0
        self.rows: list[JsonValue] = []

    def add(self, record: asyncpg.Record) -> None:
        try:
            value = row(record, self._types)
        except RecursionError:
            raise invalid("a value of the result is nested too deeply") from None
        self._size += len(json.dumps(value))
        self.rows.append(value)
        if len(self.rows) > self._fields.max_rows:
            raise invalid(f"more than max_rows: {self._fields.max_rows}; limit the query, or raise it")
        if self._size > self._fields.max_bytes:
            raise invalid(f"more than max_bytes: {self._fields.max_bytes}; limit the query, or raise it")

    def output(self, count: int) -> dict[str, JsonValue]:
        columns: list[JsonValue] = list(self._types)
        return {"rows": self.rows, "row_count": count, "columns": columns}


def _values(values: list[JsonValue], statement: Statement, where: str = "") -> list[object]:
    try:
        return parameters(values, statement.get_parameters())
    except ValueError as error:
        raise invalid(f"{where}{error}") from error


def _affected(status: str | None) -> int:
    last = (status or "").split()[-1:]  # `INSERT 0 5`, `UPDATE 5`, `CREATE TABLE`
    return int(last[0]) if last and last[0].isdigit() else 0


POSTGRES = Kind(
    name="postgres",
    with_model=PostgresWith,
    connection="required",
    is_pure=False,
    connection_model=PostgresConnection,
    run=run,
    check_connection=check_connection,
    summary="Executes a statement on PostgreSQL.",
    example="""\
id: insert
uses: postgres
connection: orders_db
with:
  sql: insert into orders (id, total) values ($1, $2) on conflict (id) do nothing
  rows: [[1, 9.99], [2, 5]]
""",
)
