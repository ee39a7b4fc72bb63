"""The packets between a stage and a MySQL or MariaDB server, within a limit.

The client is our own, as small as a stage needs it: what there is for asyncio (aiomysql, asyncmy) pastes
values into the statement, goes on without TLS where a server offers none, and holds a packet of any size.
https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
https://mariadb.com/kb/en/clientserver-protocol/
"""

import asyncio
import ssl

from activities.stages.mysql_errors import Garbled, TooLarge, refusal

WHOLE = 0xFFFFFF  # bytes of a packet that goes on in the next one.


class Wire:
    """A connection that is used by one stage only."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._plain = writer
        self._number = 0  # of the next packet, counted from the start of a command.
        self.limit = 0  #: How many bytes more may be read.

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can be said."""
        return self._writer.is_closing()

    async def encrypt(self, context: ssl.SSLContext, name: str) -> None:
        """Go on in TLS; what was sent before it, and not read, is dropped: anybody could have sent it."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport = await loop.start_tls(self._writer.transport, protocol, context, server_hostname=name)
        if transport is None:
            raise ConnectionError("the connection was closed in the middle of TLS")
        protocol.connection_made(transport)
        self._plain = self._writer  # Forgotten, it would close the connection below.
        self._reader, self._writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def command(self, code: int, payload: bytes = b"") -> None:
        """Send a command; its answer is read packet by packet."""
        self._number = 0
        await self.send(bytes([code]) + payload)

    async def send(self, payload: bytes) -> None:
        """Send a packet, or as many as it takes."""
        for start in range(0, len(payload) + 1, WHOLE):
            part = payload[start : start + WHOLE]
            self._writer.write(len(part).to_bytes(3, "little") + bytes([self._number]) + part)
            self._number = (self._number + 1) % 256
        await self._writer.drain()

    async def packet(self) -> bytes:
        """The next packet; raises `Refusal` if it is an error, `TooLarge` if it is beyond the limit."""
        data, size = bytearray(), WHOLE
        try:
            while size == WHOLE:
                header = await self._reader.readexactly(4)
                size = int.from_bytes(header[:3], "little")
                # An error of a server that shuts down begins to count afresh.
                if header[3] not in (self._number, 0):
                    raise Garbled
                self._number = (header[3] + 1) % 256
                self.limit -= size
                if self.limit < 0:
                    raise TooLarge
                data += await self._reader.readexactly(size)
        except asyncio.IncompleteReadError as error:
            raise ConnectionError("the server closed the connection") from error
        if data[:1] == b"\xff":
            raise refusal(bytes(data))
        if not data:
            raise Garbled
        return bytes(data)

    def abort(self) -> None:
        """Close the connection at once; the server rolls back what was not committed."""
        self._writer.transport.abort()


class Reader:
    """The fields of a packet, from first to last."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        return self.position >= len(self.data)

    def take(self, size: int) -> bytes:
        """So many bytes."""
        part = self.data[self.position : self.position + size]
        if len(part) != size:
            raise Garbled
        self.position += size
        return part

    def whole(self, size: int) -> int:
        """A whole number of a fixed size, without sign."""
        return int.from_bytes(self.take(size), "little")

    def until_zero(self) -> bytes:
        """A text that ends with a zero, or with the packet."""
        end = self.data.find(b"\0", self.position)
        part = self.data[self.position : end if end >= 0 else len(self.data)]
        self.position += len(part) + 1
        return part

    def length(self) -> int:
        """A whole number of the size that its first byte says."""
        first = self.whole(1)
        return first if first < 0xFB else self.whole({0xFC: 2, 0xFD: 3}.get(first, 8))

    def counted(self) -> bytes:
        """Bytes behind their number."""
        return self.take(self.length())


def counted(content: bytes) -> bytes:
    """Bytes behind their number, as `Reader.counted` reads them."""
    size = len(content)
    if size < 0xFB:
        return bytes([size]) + content
    for mark, width in ((0xFC, 2), (0xFD, 3)):
        if size < 1 << 8 * width:
            return bytes([mark]) + size.to_bytes(width, "little") + content
    return b"\xfe" + size.to_bytes(8, "little") + content
