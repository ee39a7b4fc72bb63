"""A server that only pretends to be MySQL, and says what it was told to say."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from activities.stages.mysql_login import WANTED

OK = b"\x00\x00\x00\x02\x00\x00\x00"


def greeting(can: int = WANTED, method: str = "mysql_native_password") -> bytes:
    salt = b"a" * 8
    low, high = can & 0xFFFF, can >> 16
    head = b"\x0a5.7.0\0" + struct.pack("<I", 7) + salt + b"\0"
    return head + struct.pack("<HBHHB10x", low, 45, 2, high, 21) + b"b" * 12 + b"\0" + method.encode() + b"\0"


def switch(method: str) -> bytes:
    """The wish for another way to log in."""
    return b"\xfe" + method.encode() + b"\0" + b"c" * 20 + b"\0"


@asynccontextmanager
async def impostor(
    *answers: bytes | tuple[bytes, ...], is_raw: bool = False
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Its port, and what clients say to it; the first answer is its greeting."""
    said: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        try:
            for answer in answers:
                for part in answer if isinstance(answer, tuple) else (answer,):
                    writer.write(b"" if is_raw else len(part).to_bytes(3, "little") + bytes([number]))
                    writer.write(part)
                    number += 1
                header = await reader.readexactly(4)
                said.append(await reader.readexactly(int.from_bytes(header[:3], "little")))
                number = header[3] + 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], said
