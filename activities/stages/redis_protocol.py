"""The wire protocol of Redis, RESP2, with a limit on what is read."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from activities.stages.kind import StageError

DEEPEST = 32  # lists within lists; the deepest answer of a command that is let through has five.
TURN = 500  # replies, some two milliseconds, after which others have theirs


@dataclass(frozen=True)
class Refusal:
    """An error that the server answered with: its code, which is its first word, and its text."""

    code: str
    text: str


Reply: TypeAlias = "bytes | int | Refusal | list[Reply] | None"


class NotRedis(Exception):
    """What answers is no Redis server, or it hung up."""


def encoded(commands: Iterable[Sequence[bytes]]) -> bytes:
    """Commands as they are sent: each argument has its length before it, so that none can be two."""
    parts = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        parts += [b"$%d\r\n%b\r\n" % (len(argument), argument) for argument in command]
    return b"".join(parts)


class Replies:
    """The replies of a server, one after the other; all of them together stay within the limit."""

    def __init__(self, reader: asyncio.StreamReader, limit: int) -> None:
        self._reader = reader
        self._limit = limit
        self._room = limit

    async def next(self, depth: int = 0) -> Reply:
        """The next reply; raises `NotRedis`, and `StageError` before more than the limit is held."""
        line = await self._line()
        kind, rest = line[:1], line[1:]
        match kind:
            case b"+":
                return rest
            case b"-":
                code, _, text = rest.decode(errors="replace").partition(" ")
                return Refusal(code, text)
            case b":":
                return _number(rest)
            case b"$":
                return await self._text(_number(rest))
            case b"*" if depth < DEEPEST:
                count = _number(rest)
                return None if count < 0 else await self._list(count, depth + 1)
        raise NotRedis

    async def _list(self, count: int, depth: int) -> list[Reply]:
        items: list[Reply] = []
        for number in range(1, count + 1):
            items.append(await self.next(depth))
            if number % TURN == 0:
                await asyncio.sleep(0)  # What has arrived is read without a pause; triggers wait meanwhile.
        return items

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readuntil(b"\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise NotRedis from None
        self._take(len(line))
        return line[:-2]

    async def _text(self, size: int) -> bytes | None:
        if size < 0:
            return None
        self._take(size + 2)
        try:
            return (await self._reader.readexactly(size + 2))[:-2]
        except asyncio.IncompleteReadError:
            raise NotRedis from None

    def _take(self, size: int) -> None:
        self._room -= size
        if self._room < 0:
            message = f"the answer is larger than max_bytes: {self._limit}; ask for less, or raise it"
            raise StageError("validation", message, retryable=False)


def _number(text: bytes) -> int:
    try:
        return int(text[:20])  # as long as 64 bits can be, with their sign
    except ValueError:
        raise NotRedis from None
