"""Instants as requests give them."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def _within_reach(instant: datetime) -> datetime:
    if not EARLIEST <= instant <= LATEST:
        raise ValueError(f"must lie between {EARLIEST.year} and {LATEST.year}")
    return instant.astimezone(UTC)


GivenInstant = Annotated[AwareDatetime, AfterValidator(_within_reach)]
"""RFC 3339 with its offset; in UTC once it is read."""
