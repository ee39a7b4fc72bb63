"""The kind `postgres`: statements on PostgreSQL, once or for many rows, in one transaction."""

import math
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from pydantic import Field, JsonValue

from activities.stages.kind import ConnectionContext, Kind, StageContext, StageError
from activities.stages.postgres_connection import SMALL, PostgresConnection, Session, connected
from activities.stages.postgres_errors import failure
from activities.stages.postgres_parameters import parameters
from activities.stages.postgres_results import row
from activities.stages.sql import VERBATIM, Result, Room, SqlWith, Statement, invalid, of_all, placed
from activities.stages.sql_connection import no_connection
from cronny.errors import EgressDenied

FETCH = 50  # rows at a time: few enough to notice in time that they are too large.
SENT = 500  # rows at a time: few enough that a result beyond the limits ends it soon.
LARGER = 4  # A row may take more bytes on its way than as JSON, such as twelve for the number 1 in a list.
LONGEST = timedelta(days=24)  # of a time limit; PostgreSQL counts milliseconds in 31 bits.

# Only the stubs of asyncpg know this as generic.
Prepared: TypeAlias = "PreparedStatement[asyncpg.Record]"
Driver = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class PostgresWith(SqlWith):
    """The `with:` block of `postgres`."""

    sql: str | None = Field(
        None,
        description="One statement; values go to `$1`, `$2`, …",
        json_schema_extra=VERBATIM,
    )
    params: list[JsonValue] = Field([], description="The values of `$1`, `$2`, …")


Context = StageContext[PostgresWith, PostgresConnection]


async def run(context: Context) -> JsonValue:
    """The rows, their number (or that of the rows affected), and the columns; or a list of such results."""
    fields, room = context.with_, Room(context.with_)
    try:
        async with connected(context.connection, context.egress) as session:
            try:
                outputs = await _execute(session, fields, room, context.timeout)
            except Driver as error:
                raise (room.excess() if session.loop.is_exceeded else failure(error)) from error
    except Driver as error:
        raise failure(error) from error
    except (OSError, EgressDenied) as error:
        raise no_connection(error, context.connection.host) from error
    for output in outputs:
        context.log(f"{output['row_count']} rows")
    return of_all(outputs, fields)


async def check_connection(context: ConnectionContext[PostgresConnection]) -> str:
    """Log in and ask the server for its version."""
    try:
        async with connected(context.connection, context.egress) as session:
            version = await session.connection.fetchval("select current_setting('server_version')")
    except Driver as error:
        raise failure(error) from error
    except (OSError, EgressDenied) as error:
        raise no_connection(error, context.connection.host) from error
    return f"PostgreSQL {version} lets {context.connection.user} in"


async def _execute(
    session: Session, fields: PostgresWith, room: Room, limit: timedelta
) -> list[dict[str, JsonValue]]:
    connection = session.connection
    around = connection.transaction(isolation=fields.isolation, readonly=fields.readonly)
    if fields.transaction:
        await around.start()
    await connection.execute(_limits(fields, limit))
    outputs = [await _part(session, fields, room, index) for index in range(len(fields.parts))]
    if fields.transaction:
        await around.commit()  # Without it, closing the connection rolls back: also when nothing answers.
    return outputs


def _limits(fields: PostgresWith, limit: timedelta) -> str:
    scope = "local" if fields.transaction else "session"
    milliseconds = max(1, math.ceil(min(limit, LONGEST) / timedelta(milliseconds=1)))
    # A worker that is gone without a word leaves no locks behind for longer than its stage could have lasted.
    idle = f"set {scope} idle_in_transaction_session_timeout = {milliseconds + 1000}"
    settings = [f"set {scope} statement_timeout = {milliseconds}", idle]
    if fields.readonly:
        settings += ["select 1"] if fields.transaction else ["set default_transaction_read_only = on"]
    # After that `select`, PostgreSQL lets no statement make the transaction writable again.
    return "; ".join(settings)


async def _part(session: Session, fields: PostgresWith, room: Room, index: int) -> dict[str, JsonValue]:
    part = fields.parts[index]
    session.loop.limit = LARGER * max(0, room.bytes) + SMALL
    try:
        statement = await session.connection.prepare(part.sql)
        result = Result([column.name for column in statement.get_attributes()], room)
        result.require(fields.mode)
        if part.rows is None:
            affected = await _once(statement, part, result, fields)
        else:
            affected = await _many(session, statement, part, part.rows, result)
        if fields.transaction and not session.connection.is_in_transaction():
            raise invalid("it has ended the transaction; leave that to the stage")
        return result.output(affected, part)
    except (*Driver, StageError) as error:
        if fields.statements is None or session.loop.is_exceeded:
            raise
        failed = error if isinstance(error, StageError) else failure(error)
        raise placed(f"statements.{index}", failed) from error


async def _once(statement: Prepared, part: Statement, result: Result, fields: PostgresWith) -> int:
    values = _values(part.params, statement)
    if not result.columns:
        await statement.fetch(*values)
        return _affected(statement.get_statusmsg())
    if not fields.transaction:  # Only within one can a result be fetched bit by bit.
        raise invalid("a statement that gives rows needs its transaction")
    types = {column.name: column.type for column in statement.get_attributes()}
    async for record in statement.cursor(*values, prefetch=FETCH):
        if not result.add(row(record, types)):
            break
    return len(result.rows)


async def _many(
    session: Session, statement: Prepared, part: Statement, rows: Sequence[list[JsonValue]], result: Result
) -> int:
    values = [_values(values, statement, f"rows.{index}: ") for index, values in enumerate(rows)]
    if not result.columns:
        counting = await _counting(session, part.sql)
        if counting is not None:
            return len(await counting.fetchmany(values))
        statement = await session.connection.prepare(part.sql)  # The attempt to count has replaced it.
        await statement.executemany(values)
        return len(values)
    types = {column.name: column.type for column in statement.get_attributes()}
    for start in range(0, len(values), SENT):
        for record in await statement.fetchmany(values[start : start + SENT]):
            if not result.add(row(record, types)):
                return len(result.rows)
    return len(result.rows)


async def _counting(session: Session, sql: str) -> "Prepared | None":
    """The statement with a row for each row it affects, since the driver counts none when it sends many."""
    try:
        async with session.connection.transaction():
            return await session.connection.prepare(re.sub(r"[;\s]+$", "", sql) + "\nreturning 1")
    except asyncpg.PostgresSyntaxError:
        return None


def _values(values: list[JsonValue], statement: Prepared, where: str = "") -> list[object]:
    try:
        return parameters(values, statement.get_parameters())
    except (ValueError, RecursionError) as error:
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
    summary="Executes statements on PostgreSQL.",
    example="""\
id: insert
uses: postgres
connection: orders_db
with:
  sql: insert into orders (id, total) values ($1, $2) on conflict (id) do nothing
  rows: [[1, 9.99], [2, 5]]
""",
)
