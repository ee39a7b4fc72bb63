"""Large values in a bucket of S3, or of a service that speaks its protocol."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from activities.stages.kind import StageError
from activities.stages.s3_bucket import Bucket
from cronny.blobs import PIECE, Lost, Place
from cronny.errors import Unavailable

MISSING = 404
TIMEOUT = timedelta(seconds=60)  # of one request

log = logging.getLogger("activities.blobs")


@dataclass(frozen=True)
class InBucket:
    """Objects below a prefix of a bucket."""

    bucket: Bucket
    prefix: str = ""  #: With a slash at its end, if it is not empty.

    async def write(self, place: Place, content: bytes) -> None:
        """Put an object, which is there whole or not at all."""
        try:
            headers = {"content-type": "application/json"}
            await self.bucket.ask("PUT", self._key(place), headers=headers, content=content)
        except StageError as error:
            raise _away(error) from error

    async def read(self, place: Place, size: int) -> AsyncIterator[bytes]:
        """The object, in pieces of which each is asked for by itself, so that few are held at once."""
        for start in range(0, size, PIECE):
            end = min(start + PIECE, size)
            headers = {"range": f"bytes={start}-{end - 1}"}
            try:
                answer = await self.bucket.ask("GET", self._key(place), headers=headers, fine=(MISSING, 416))
            except StageError as error:
                raise _away(error) from error
            if answer.status in (MISSING, 416) or len(answer.content) != end - start:
                raise Lost(f"{place.key} is not in the bucket of large values, or not as it was written")
            yield answer.content

    async def delete(self, place: Place) -> None:
        """Delete the object."""
        try:
            await self.bucket.ask("DELETE", self._key(place), fine=(MISSING,))
        except StageError as error:
            raise _away(error) from error

    def _key(self, place: Place) -> str:
        return f"{self.prefix}{place.key}"


def _away(error: StageError) -> Unavailable:
    log.warning("the bucket of large values is away", extra={"code": error.code, "reason": error.message})
    return Unavailable(f"the bucket of large values cannot be reached ({error.code})")  # where is no tenant's
