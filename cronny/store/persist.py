"""Writes that outlast an outage of the database: what has happened in the world must be written down."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from cronny.errors import Unavailable
from cronny.store.database import Database, TenantDatabase
from cronny.store.failures import meaning_of

# Seconds between tries, five minutes in all; after that Temporal repeats what led to the write.
DELAYS = (0.1, 0.2, 0.5, *([1.0] * 300))

Answer = TypeVar("Answer")
log = logging.getLogger("cronny.store")


async def persist(
    database: Database | TenantDatabase,
    write: Callable[[AsyncSession], Awaitable[Answer]],
    delays: Sequence[float] = DELAYS,
) -> Answer:
    """What an idempotent write gives, tried again while the database is away."""
    for delay in delays:
        try:
            return await _written(database, write)
        except Exception as error:
            if not isinstance(meaning_of(error), Unavailable):
                raise
            log.warning("the database is away", extra={"reason": type(error).__name__})
        await asyncio.sleep(delay)
    return await _written(database, write)


async def _written(
    database: Database | TenantDatabase, write: Callable[[AsyncSession], Awaitable[Answer]]
) -> Answer:
    async with database.write() as session:
        return await write(session)
