"""The kind `mysql`: statements on MySQL or MariaDB, once or for many rows, in one transaction."""

import math
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from datetime import timedelta

from pydantic import Field, JsonValue

from activities.stages.kind import ConnectionContext, Kind, StageContext, StageError
from activities.stages.mysql_batches import repeated, rows_at_once
from activities.stages.mysql_connection import Connected, MysqlConnection, connected
from activities.stages.mysql_errors import Garbled, Refusal, TooLarge, failure, garbled
from activities.stages.mysql_session import SMALL, Done, Prepared
from activities.stages.sql import VERBATIM, Result, Room, SqlWith, Statement, invalid, of_all, placed
from activities.stages.sql_connection import no_connection
from activities.stages.sql_values import whole
from cronny.errors import EgressDenied

BATCH = 1_000_000  # bytes of rows in one statement; servers take at least four times as many.
LONGEST = timedelta(days=24)  # of a time limit; MySQL counts milliseconds in 32 bits.
LARGER = 4  # A row may take more bytes on its way than as JSON, such as eight for the number 1.


class MysqlWith(SqlWith):
    """The `with:` block of `mysql`."""

    sql: str | None = Field(
        None, description="One statement; values go to its `?`.", json_schema_extra=VERBATIM
    )
    params: list[JsonValue] = Field([], description="The values of each `?`, in their order.")


Context = StageContext[MysqlWith, MysqlConnection]


async def run(context: Context) -> JsonValue:
    """The rows, their number (or that of the rows affected), and the columns; or a list of such results."""
    fields, host = context.with_, context.connection.host
    room = Room(fields)
    try:
        async with connected(context.connection, context.egress) as session:
            await _begin(session, fields, context.timeout)
            outputs = [await _part(session, fields, room, index) for index in range(len(fields.parts))]
            if fields.transaction:
                await session.command("commit")
    except Refusal as error:
        raise failure(error) from error
    except TooLarge as error:
        raise room.excess() from error
    except Garbled as error:
        raise garbled(host) from error
    except (OSError, EgressDenied) as error:
        raise no_connection(error, host) from error
    for output in outputs:
        context.log(f"{output['row_count']} rows")
    return of_all(outputs, fields)


async def check_connection(context: ConnectionContext[MysqlConnection]) -> str:
    """Log in, and have the server answer a query that reads nothing."""
    settings = context.connection
    try:
        async with connected(settings, context.egress) as session:
            await session.command("do 1")
            server = session.greeting
    except Refusal as error:
        raise failure(error) from error
    except (Garbled, TooLarge) as error:
        raise garbled(settings.host) from error
    except (OSError, EgressDenied) as error:
        raise no_connection(error, settings.host) from error
    product = "MariaDB" if server.is_mariadb else "MySQL"
    return f"{product} {server.number} lets {settings.user} in"


async def _begin(session: Connected, fields: MysqlWith, limit: timedelta) -> None:
    seconds = min(limit, LONGEST).total_seconds()
    # MySQL's own limit is for queries; whatever else lasts too long is stopped from here.
    timeout = (
        f"max_statement_time = {max(0.001, seconds):.3f}"
        if session.greeting.is_mariadb
        else f"max_execution_time = {max(1, round(seconds * 1000))}"
    )
    # Without autocommit, what follows a rollback that the server decides on is not committed by itself.
    autocommit = 0 if fields.transaction else 1
    # A worker that is gone without a word leaves no locks behind for longer than its stage could have lasted.
    wait = f"wait_timeout = {math.ceil(seconds) + 1}"
    await session.command(
        f"set names utf8mb4, time_zone = '+00:00', autocommit = {autocommit}, {timeout}, {wait}"
    )
    wishes = [f"isolation level {fields.isolation.replace('_', ' ')}"] if fields.isolation else []
    wishes += ["read only"] if fields.readonly else []
    if wishes:
        await session.command(f"set session transaction {', '.join(wishes)}")
    if fields.transaction:
        await session.command(f"start transaction{' read only' if fields.readonly else ''}")


async def _part(session: Connected, fields: MysqlWith, room: Room, index: int) -> dict[str, JsonValue]:
    part = fields.parts[index]
    try:
        output = await _execute(session, part, room, fields.mode)
        if fields.transaction and index + 1 < len(fields.parts) and not session.is_in_transaction:
            raise invalid("it has ended the transaction, as `create table` does; give it a stage of its own")
    except (Refusal, StageError) as error:
        failed = failure(error) if isinstance(error, Refusal) else error
        raise (failed if fields.statements is None else placed(f"statements.{index}", failed)) from error
    return output


async def _execute(session: Connected, part: Statement, room: Room, mode: str | None) -> dict[str, JsonValue]:
    statement = await session.prepare(part.sql)
    answers = _Answers(session, room)
    if part.rows is None:
        await answers.add(statement, _fitting(part.params, statement))
    else:
        rows = [_fitting(row, statement, f"rows.{index}: ") for index, row in enumerate(part.rows)]
        for batch in _batches(rows, statement):
            await answers.add_many(statement, rows[batch], batch)
    answers.result.require(mode)
    # Of many rows there is no one such id.
    last_id = answers.last_id if part.rows is None else 0
    return {
        **answers.result.output(answers.affected, part),
        "last_insert_id": whole(last_id) if last_id else None,
    }


class _Answers:
    """What one statement gives, executed once or often."""

    def __init__(self, session: Connected, room: Room) -> None:
        self._session = session
        self._room = room
        self._repeated: dict[int, Prepared | None] = {}
        self.result = Result((), room)
        self.affected = 0
        self.last_id = 0

    async def add(self, statement: Prepared, values: Sequence[JsonValue]) -> None:
        """Execute the statement and take what it gives."""
        try:
            head = await self._session.execute(statement, values)
        except (ValueError, RecursionError) as error:  # No text of a database, or no number.
            raise invalid(f"a value cannot be sent: {error}") from error
        if isinstance(head, Done):
            self.affected += head.affected
            self.last_id = head.last_id or self.last_id
            return
        names = [column.name for column in head]
        if list(self.result.columns) != names:
            self.result = Result(names, self._room)
        self._session.wire.limit = LARGER * max(0, self._room.bytes) + SMALL
        async with aclosing(self._session.rows(head)) as rows:
            async for row in rows:
                if not self.result.add(row):
                    break
        if self._session.is_busy:
            await self._session.stop_query()

    async def add_many(self, statement: Prepared, rows: Sequence[Sequence[JsonValue]], batch: slice) -> None:
        """Execute it for rows: in one go where the statement allows it, else one after the other."""
        many = await self._for_many(statement, len(rows))
        try:
            if many is not None:
                return await self.add(many, [value for row in rows for value in row])
            for row in rows:
                await self.add(statement, row)
        except Refusal as error:
            raise placed(f"rows.{batch.start} to rows.{batch.stop - 1}", failure(error)) from error

    async def _for_many(self, statement: Prepared, count: int) -> Prepared | None:
        if count not in self._repeated:
            self._repeated[count] = await self._prepared(statement, count) if count > 1 else None
        return self._repeated[count]

    async def _prepared(self, statement: Prepared, count: int) -> Prepared | None:
        sql = repeated(statement.sql, statement.parameters, count)
        try:
            many = await self._session.prepare(sql) if sql else None
        except Refusal:  # It was no list of values after all.
            return None
        return many if many and many.parameters == statement.parameters * count else None


def _batches(rows: Sequence[Sequence[JsonValue]], statement: Prepared) -> Iterator[slice]:
    most, start, size = rows_at_once(statement.parameters), 0, 0
    for index, row in enumerate(rows):
        size += len(str(row))
        if index > start and (size > BATCH or index - start >= most):
            yield slice(start, index)
            start, size = index, len(str(row))
    if rows:
        yield slice(start, len(rows))


def _fitting(values: Sequence[JsonValue], statement: Prepared, where: str = "") -> Sequence[JsonValue]:
    if len(values) != statement.parameters:
        raise invalid(f"{where}the statement takes {statement.parameters} values, {len(values)} were given")
    return values


MYSQL = Kind(
    name="mysql",
    with_model=MysqlWith,
    connection="required",
    is_pure=False,
    connection_model=MysqlConnection,
    run=run,
    check_connection=check_connection,
    summary="Executes statements on MySQL or MariaDB.",
    example="""\
id: move
uses: mysql
connection: shop_db
with:
  statements:
    - sql: update stock set amount = amount - ? where item = ? and amount >= ?
      params: [2, 7, 2]
      expect_row_count: 1
    - sql: insert into orders (item, amount) values (?, ?)
      rows: [[7, 2]]
""",
)
