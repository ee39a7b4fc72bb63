"""Whether the servers that the API needs are there."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from api.parts import Parts
from cronny.errors import Unavailable
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.tenants import Tenants
from cronny.temporal.connection import check

PATIENCE = 2.0  # seconds; who asks whether we are ready does not wait longer


async def require_servers(parts: Parts) -> None:
    """Raises Unavailable with every reason unless the database and Temporal answer."""
    reasons = await asyncio.gather(
        _reason(_check_database(parts.database), "the database does not answer in time"),
        _reason(check(parts.temporal), "Temporal does not answer in time"),
    )
    if any(reasons):
        raise Unavailable("; ".join(reason for reason in reasons if reason))


async def _reason(question: Coroutine[Any, Any, None], too_slow: str) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await question
    except TimeoutError:
        return too_slow
    except Unavailable as error:
        return str(error)
    return ""


async def _check_database(database: Database) -> None:
    try:
        nobody = database.for_tenant("")  # as a request does, which has to become the role of a tenant
        async with nobody.read() as session:
            await Tenants(session).find("")  # the tables have to be there, too
    except Exception as error:
        raise (
            meaning_of(error) or Unavailable("the database cannot be read: is it there, and migrated?")
        ) from error
