"""An upload of a size that is not known before: at once if it is small, else part by part."""

import asyncio
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from activities.stages.kind import StageError
from activities.stages.s3_bucket import Bucket
from activities.stages.s3_xml import complete_request

PART = 8 * 2**20  # bytes; S3 takes parts of 5 MiB and more, and two of ours are held at a time.
LARGEST = 64 * 2**30  # bytes of an object: 8192 of the 10 000 parts that there may be.
ABANDON = 20.0  # seconds in which an upload that came to nothing is to be given up at the server.

Checksum = Literal["crc32", "sha256"]


@dataclass(frozen=True)
class Uploaded:
    """What the server has now."""

    etag: str
    size: int
    parts: int


def checksum_of(content: bytes, algorithm: Checksum) -> str:
    """A checksum as S3 writes it."""
    digest = sha256(content).digest() if algorithm == "sha256" else zlib.crc32(content).to_bytes(4, "big")
    return b64encode(digest).decode()


@dataclass(frozen=True)
class Upload:
    """What is to be there, besides its content."""

    bucket: Bucket
    key: str
    headers: Mapping[str, str]  #: Of the object.
    conditions: Mapping[str, str]  #: Without which it is not to be made.
    checksum: Checksum | None


async def upload(wanted: Upload, chunks: AsyncIterator[bytes]) -> Uploaded:
    """Send the chunks as one object, which is there whole or not at all."""
    parts = _parts(chunks)
    ahead: list[bytes] = []
    async for part in parts:
        ahead.append(part)
        del part  # or it would be held until the end
        if len(ahead) == 2:
            return await _Multipart(wanted).send(_joined(ahead, parts))
    content = ahead[0] if ahead else b""
    headers = {**wanted.headers, **wanted.conditions, **await _sums(content, wanted.checksum)}
    answer = await wanted.bucket.ask("PUT", wanted.key, headers=headers, content=content)
    return Uploaded(answer.headers.get("etag", ""), len(content), 1)


async def whole(content: bytes) -> AsyncIterator[bytes]:
    """A content that is there already, in pieces that can be parts."""
    for start in range(0, len(content), PART):
        yield content[start : start + PART]


async def _parts(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    held = bytearray()
    total = 0
    async for chunk in chunks:
        held += chunk
        total += len(chunk)
        if total > LARGEST:
            raise StageError("validation", f"the object is larger than {LARGEST} bytes", retryable=False)
        while len(held) >= PART:
            yield bytes(held[:PART])
            del held[:PART]
    if held:
        yield bytes(held)


async def _joined(ahead: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while ahead:
        yield ahead.pop(0)
    async for part in rest:
        yield part


async def _sums(content: bytes, checksum: Checksum | None) -> dict[str, str]:
    if checksum is None:
        return {}
    return {f"x-amz-checksum-{checksum}": await asyncio.to_thread(checksum_of, content, checksum)}


class _Multipart:
    def __init__(self, wanted: Upload) -> None:
        self._wanted, self._bucket, self._key = wanted, wanted.bucket, wanted.key

    async def send(self, parts: AsyncIterator[bytes]) -> Uploaded:
        # The id of an upload that was begun must be known, or nobody could end it: so this is waited for even
        # when the stage is cancelled meanwhile.
        begun = asyncio.create_task(self._begin())
        try:
            upload_id = await asyncio.shield(begun)
            size = 0
            sent: list[tuple[str, str, str]] = []
            async for part in parts:
                sent.append(await self._put(upload_id, len(sent) + 1, part))
                size += len(part)
            return Uploaded(await self._complete(upload_id, sent), size, len(sent))
        except BaseException:
            await asyncio.shield(self._abandon(begun))
            raise

    async def _begin(self) -> str:
        checksum = self._wanted.checksum
        asked = {"x-amz-checksum-algorithm": checksum.upper()} if checksum else {}
        headers = {**self._wanted.headers, **asked}
        answer = await self._bucket.ask_xml("POST", self._key, query={"uploads": ""}, headers=headers)
        return answer.get("UploadId")

    async def _put(self, upload_id: str, number: int, part: bytes) -> tuple[str, str, str]:
        """The ETag of the part, and the name and value of its checksum."""
        query = {"partNumber": str(number), "uploadId": upload_id}
        checksum = self._wanted.checksum
        sums = await _sums(part, checksum)
        answer = await self._bucket.ask("PUT", self._key, query=query, headers=sums, content=part)
        name = f"Checksum{checksum.upper()}" if checksum else ""
        return answer.headers.get("etag", ""), name, "".join(sums.values())

    async def _complete(self, upload_id: str, sent: Sequence[tuple[str, str, str]]) -> str:
        """The ETag of the object."""
        done = await self._bucket.ask_xml(
            "POST",
            self._key,
            query={"uploadId": upload_id},
            headers=self._wanted.conditions,
            content=complete_request(sent),
        )
        return done.get("ETag")

    async def _abandon(self, begun: "asyncio.Task[str]") -> None:
        """Give the upload up, so that its parts take no room; what cannot be said to the server is left."""
        with suppress(StageError, TimeoutError):
            async with asyncio.timeout(ABANDON):
                await self._bucket.ask("DELETE", self._key, query={"uploadId": await begun})
