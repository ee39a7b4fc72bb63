"""What a stage says to a MySQL server: one statement at a time, prepared there, its rows as they come."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pydantic import JsonValue

from activities.stages.kind import StageError
from activities.stages.mysql_errors import INTERRUPTED, NOT_TO_PREPARE, Garbled, Refusal
from activities.stages.mysql_login import Greeting
from activities.stages.mysql_values import Column, column, parameters, row
from activities.stages.mysql_wire import Reader, Wire
from activities.stages.sql import invalid

SMALL = 1_000_000  # bytes of an answer without rows; a few dozen are usual.
LEFT_OVER = 64_000_000  # bytes of rows that may be on their way when a query is stopped.

QUIT, QUERY, PREPARE, EXECUTE, CLOSE = 0x01, 0x03, 0x16, 0x17, 0x19
IN_TRANSACTION, MORE_RESULTS = 0x0001, 0x0008


@dataclass(frozen=True)
class Prepared:
    """A statement that the server has read."""

    sql: str
    number: int | None  #: None for one that it only takes as a text.
    parameters: int


@dataclass(frozen=True)
class Done:
    """A statement without rows, executed."""

    affected: int
    last_id: int
    warnings: int


class Session:
    """A connection that is logged in."""

    def __init__(self, wire: Wire, greeting: Greeting) -> None:
        self.wire = wire
        self.greeting = greeting
        self.is_busy = False  #: Whether the server still has something to say, or to do.
        self._status = 0

    @property
    def is_in_transaction(self) -> bool:
        """Whether the transaction goes on, or a statement has ended it."""
        return bool(self._status & IN_TRANSACTION)

    async def command(self, sql: str) -> Done:
        """Execute a statement as it is; raises StageError if it gives rows."""
        self.wire.limit = SMALL
        head = await self._ask(QUERY, sql.encode())
        if not isinstance(head, Done):
            raise invalid("the server gives the rows of this statement only to people; query them otherwise")
        return head

    async def prepare(self, sql: str) -> Prepared:
        """Let the server read a statement, of which there can be only one."""
        self.wire.limit = SMALL
        self.is_busy = True
        try:
            await self.wire.command(PREPARE, sql.encode())
            head = Reader(_no_wish(await self.wire.packet()), 1)
        except Refusal as error:
            self.is_busy = False
            if error.number == NOT_TO_PREPARE:
                return Prepared(sql, None, 0)
            raise
        number, columns, count = head.whole(4), head.whole(2), head.whole(2)
        for definitions in (count, columns):  # They are sent again with the result.
            for _ in range(definitions + 1 if definitions else 0):
                await self.wire.packet()
        self.is_busy = False
        return Prepared(sql, number, count)

    async def execute(self, statement: Prepared, values: Sequence[JsonValue]) -> "Done | list[Column]":
        """Execute it: either done, or the columns of the rows that follow."""
        if statement.number is None:
            return await self.command(statement.sql)
        head = statement.number.to_bytes(4, "little") + b"\x00\x01\x00\x00\x00"
        return await self._ask(EXECUTE, head + parameters(values))

    async def rows(self, columns: Sequence[Column]) -> AsyncGenerator[dict[str, JsonValue], None]:
        """The rows, as the server sends them."""
        while not _is_end(packet := await self._packet()):
            yield row(packet, columns)
        self._end(Reader(packet, 3).whole(2))
        # Of a procedure: what follows is its end, or a further result.
        if self.is_busy and not isinstance(await self._head(), Done):
            raise invalid("the procedure gives several results; a stage takes one")

    async def where(self) -> str:
        """Which server this is."""
        statement = await self.prepare("select concat_ws(' ', @@hostname, @@port, @@server_id) as place")
        columns = await self.execute(statement, ())
        found = [row async for row in self.rows(columns)] if isinstance(columns, list) else []
        await self.forget(statement)
        return str(found)

    async def forget(self, statement: Prepared) -> None:
        """Let the server forget a statement; it does not answer."""
        if statement.number is not None:
            await self.wire.command(CLOSE, statement.number.to_bytes(4, "little"))

    async def drain(self) -> None:
        """Read what is left of the rows of a query that was stopped, so that another can follow."""
        self.wire.limit = LEFT_OVER
        with suppress(Refusal):
            while not _is_end(await self._packet()):
                pass
        self.is_busy = False
        try:
            await self.command("do 0")
        except Refusal as error:  # The request to stop came after the last row, and met this one.
            if error.number != INTERRUPTED:
                raise

    async def quit(self) -> None:
        """Say goodbye; the server closes the connection."""
        await self.wire.command(QUIT)

    async def _ask(self, code: int, payload: bytes) -> "Done | list[Column]":
        self.is_busy = True
        await self.wire.command(code, payload)
        return await self._head()

    async def _head(self) -> "Done | list[Column]":
        packet = _no_wish(await self._packet())
        if packet[0] == 0x00:
            fields = Reader(packet, 1)
            affected, last_id = fields.length(), fields.length()
            self._end(fields.whole(2))
            if self.is_busy:
                raise invalid("the procedure gives several results; a stage takes one")
            return Done(affected, last_id, fields.whole(2))
        extended = self.greeting.has_extended_types
        columns = [column(await self._packet(), extended) for _ in range(Reader(packet).length())]
        if not _is_end(await self._packet()):
            raise Garbled
        return columns

    async def _packet(self) -> bytes:
        try:
            return await self.wire.packet()
        except Refusal:
            self.is_busy = False
            raise

    def _end(self, status: int) -> None:
        self._status = status
        self.is_busy = bool(status & MORE_RESULTS)


def _no_wish(packet: bytes) -> bytes:
    """The packet, if it is not the wish for a file of the client, which a server may utter at any time."""
    if packet[0] == 0xFB:
        raise StageError("connection", "the server asks for a file, which no stage gives", retryable=False)
    return packet


def _is_end(packet: bytes) -> bool:
    return packet[0] == 0xFE and len(packet) < 9
