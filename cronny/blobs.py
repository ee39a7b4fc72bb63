"""Where large values are kept, beside the database: what a store can do, and the one that is a folder.

A value is written whole or not at all, and never changed. Which there are is known from the database; a store
is only asked for what stands there.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cronny.errors import CronnyError, Unavailable

PIECE = 1 << 20  # bytes that are read at once


class Lost(CronnyError):
    """A value that the database knows of is not where values are kept."""


@dataclass(frozen=True)
class Place:
    """Where a value is kept."""

    tenant_id: str
    blob_id: str

    @property
    def key(self) -> str:
        """Its path: by tenant, and spread so that no folder becomes too large."""
        return f"{self.tenant_id}/{self.blob_id[-2:]}/{self.blob_id}"


class BlobStore(Protocol):
    """Keeps values; every method raises Unavailable when the store cannot be reached."""

    async def write(self, place: Place, content: bytes) -> None:
        """Keep a value; writing it again changes nothing."""

    def read(self, place: Place, size: int) -> AsyncIterator[bytes]:
        """The value of so many bytes, in pieces; raises Lost."""

    async def delete(self, place: Place) -> None:
        """Keep a value no longer; one that is not there is gone already."""


@dataclass(frozen=True)
class Folder:
    """A folder, which all workers and the API see, for this user's eyes only."""

    root: Path

    async def write(self, place: Place, content: bytes) -> None:
        """Write a file aside and put it in its place."""
        try:
            await asyncio.to_thread(_write, self.root, place, content)
        except OSError as error:
            raise _away(error) from error

    async def read(self, place: Place, size: int) -> AsyncIterator[bytes]:
        """The file, in pieces."""
        path = self.root / place.key
        try:
            file = await asyncio.to_thread(path.open, "rb")
            with file:
                left = size
                while piece := await asyncio.to_thread(file.read, PIECE):
                    left -= len(piece)
                    yield piece
        except FileNotFoundError as error:
            raise Lost(f"{place.key} is not in the folder of large values") from error
        except OSError as error:
            raise _away(error) from error
        if left:
            raise Lost(f"{place.key} has not the size that it was written with")

    async def delete(self, place: Place) -> None:
        """Take the file away."""
        try:
            await asyncio.to_thread((self.root / place.key).unlink, missing_ok=True)
        except OSError as error:
            raise _away(error) from error


class Nowhere:
    """For programs that keep nothing large."""

    async def write(self, place: Place, content: bytes) -> None:
        """Raise Unavailable."""
        raise Unavailable(f"there is no place for large values such as {place.key}")

    async def read(self, place: Place, size: int) -> AsyncIterator[bytes]:
        """Raise Lost."""
        raise Lost(f"there is no place for large values such as {place.key}, of {size} bytes")
        yield b""

    async def delete(self, place: Place) -> None:
        """Raise Unavailable."""
        raise Unavailable(f"there is no place for large values such as {place.key}")


async def read_whole(store: BlobStore, place: Place, size: int) -> bytes:
    """A value; raises Lost and Unavailable."""
    return b"".join([piece async for piece in store.read(place, size)])


def _write(root: Path, place: Place, content: bytes) -> None:
    path = root / place.key
    for folder in (root, path.parent.parent, path.parent):  # `parents=True` would open those to everybody
        folder.mkdir(mode=0o700, parents=folder is root, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    opened = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(opened)  # or its name could be lost in a power cut, which the database would survive
    finally:
        os.close(opened)


def _away(error: OSError) -> Unavailable:
    return Unavailable(f"the folder of large values: {error.strerror or type(error).__name__}")
