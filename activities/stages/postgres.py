"""The kind `postgres`: one statement, once or for many rows, in one transaction."""

import json
import re
import socket
import ssl
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import timedelta
from typing import Literal, TypeAlias

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from pydantic import Field, JsonValue, field_validator, model_validator

from activities.stages.kind import Block, Kind, StageContext, StageError
from activities.stages.postgres_connection import PostgresConnection, connected
from activities.stages.postgres_parameters import parameters
from activities.stages.postgres_results import row
from cronny.errors import EgressDenied

FETCH = 50  # rows at a time: few enough to notice in time that they are too large.
RETRYABLE = {"08", "40", "53", "57", "58"}  # classes: connection, rollback, resources, operator, system.

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
        raise _failure(error) from error
    except (OSError, EgressDenied) as error:
        raise _no_connection(error, context.connection.host) from error
    context.log(f"{output['row_count']} rows")
    return output


async def _execute(connection: Connection, fields: PostgresWith, limit: timedelta) -> dict[str, JsonValue]:
    milliseconds = max(1, round(limit.total_seconds() * 1000))
    around = connection.transaction(readonly=fields.readonly) if fields.transaction else nullcontext()
    async with around:
        scope = "local" if fields.transaction else "session"
        await connection.execute(f"set {scope} statement_timeout = {milliseconds}")
        statement = await connection.prepare(fields.sql)
        if fields.rows is not None:
            return await _execute_many(connection, statement, fields, fields.rows)
        return await _execute_once(statement, fields)


async def _execute_once(statement: Statement, fields: PostgresWith) -> dict[str, JsonValue]:
    values = _values(fields.params, statement)
    has_columns = bool(statement.get_attributes())
    if fields.mode is not None and has_columns != (fields.mode == "query"):
        raise _invalid(f"mode {fields.mode}: the statement gives {'rows' if has_columns else 'no rows'}")
    result = _Result(statement, fields)
    if has_columns and fields.transaction:
        cursor = statement.cursor(*values, prefetch=FETCH)
        async for record in cursor:
            result.add(record)
        return result.output(len(result.rows))
    for record in await statement.fetch(*values):
        result.add(record)
    return result.output(_affected(statement.get_statusmsg()) if not has_columns else len(result.rows))


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
    for record in await statement.fetchmany(values):
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
        self._types = {column.name: column.type for column in statement.get_attributes()}
        self._fields = fields
        self._size = 0
        self.rows: list[JsonValue] = []

    def add(self, record: asyncpg.Record) -> None:
        value = row(record, self._types)
        self._size += len(json.dumps(value))
        self.rows.append(value)
        if len(self.rows) > self._fields.max_rows:
            raise _invalid(f"more than max_rows: {self._fields.max_rows}; limit the query, or raise it")
        if self._size > self._fields.max_bytes:
            raise _invalid(f"more than max_bytes: {self._fields.max_bytes}; limit the query, or raise it")

    def output(self, count: int) -> dict[str, JsonValue]:
        columns: list[JsonValue] = list(self._types)
        return {"rows": self.rows, "row_count": count, "columns": columns}


def _values(values: list[JsonValue], statement: Statement, where: str = "") -> list[object]:
    try:
        return parameters(values, statement.get_parameters())
    except ValueError as error:
        raise _invalid(f"{where}{error}") from error


def _affected(status: str | None) -> int:
    last = (status or "").split()[-1:]  # `INSERT 0 5`, `UPDATE 5`, `CREATE TABLE`
    return int(last[0]) if last and last[0].isdigit() else 0


def _failure(error: Exception) -> StageError:
    state = getattr(error, "sqlstate", None)
    match error:
        case asyncpg.QueryCanceledError():
            return StageError("timeout", f"the statement was stopped: {error}", retryable=True)
        case asyncpg.InvalidAuthorizationSpecificationError():
            return StageError("auth", str(error), retryable=False, details={"sqlstate": state})
        case asyncpg.PostgresConnectionError() | asyncpg.CannotConnectNowError():
            return StageError("connection", str(error), retryable=True)
        case asyncpg.PostgresError():
            return StageError(
                f"sql.{_name(error)}",
                str(error),
                retryable=str(state)[:2] in RETRYABLE or isinstance(error, asyncpg.LockNotAvailableError),
                details={
                    "sqlstate": state,
                    **_places(error, ("detail", "hint", "table_name", "column_name", "constraint_name")),
                },
            )
        case asyncpg.DataError() | asyncpg.UnsupportedClientFeatureError():
            return _invalid(str(error))
    return StageError("connection", str(error), retryable=True)


def _no_connection(error: Exception, host: str) -> StageError:
    match error:
        case EgressDenied():
            return StageError("egress_denied", str(error), retryable=False)
        case ssl.SSLError():
            return StageError("tls", f"{host}: {error.reason or 'TLS failed'}", retryable=False)
        case socket.gaierror():
            return StageError("dns", f"{host}: the name has no address", retryable=True)
        case TimeoutError():
            return StageError("timeout", f"{host} did not answer in time", retryable=True)
    return StageError("connection", f"{host}: {error}", retryable=True)


def _name(error: asyncpg.PostgresError) -> str:
    name = type(error).__name__.removesuffix("Error").removeprefix("Postgres")
    if name == "Syntax":
        return "syntax_error"
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() or "error"


def _places(error: asyncpg.PostgresError, names: Iterable[str]) -> dict[str, JsonValue]:
    return {name: getattr(error, name) for name in names if getattr(error, name, None)}


def _invalid(message: str) -> StageError:
    return StageError("validation", message, retryable=False)


POSTGRES = Kind(
    name="postgres",
    with_model=PostgresWith,
    connection="required",
    is_pure=False,
    connection_model=PostgresConnection,
    run=run,
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
