"""Everything that is sealed, of all tenants, for those who change the keys."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.tables import ConnectionRow
from cronny.store.tenant_tables import SecretRow
from cronny.store.wait_tables import WaitRow
from cronny.store.webhook_tables import WebhookRow

SealedTable = type[ConnectionRow] | type[SecretRow] | type[WebhookRow]
SealedRow = ConnectionRow | SecretRow | WebhookRow

TABLES: tuple[SealedTable, ...] = (ConnectionRow, SecretRow, WebhookRow)
PREFIX = 40  # characters: an id of a key has at most 32


async def count_by_key(session: AsyncSession) -> Mapping[str, int]:
    """How many rows each key has sealed, by its id."""
    counts: Counter[str] = Counter()
    for table in TABLES:
        query = select(func.substr(col(table.sealed), 1, PREFIX)).where(col(table.sealed) != "")
        counts.update(text.partition(".")[0] for text in (await session.execute(query)).scalars())
    return counts


async def count_links_by_key(session: AsyncSession) -> Mapping[str, int]:
    """How many stages wait with links that each key has signed, by its id."""
    query = (
        select(col(WaitRow.key_id), func.count())
        .where(col(WaitRow.closed_at).is_(None), col(WaitRow.key_id) != "")
        .group_by(col(WaitRow.key_id))
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def sealed_otherwise(
    session: AsyncSession, table: SealedTable, key_id: str, after: str, limit: int
) -> Sequence[SealedRow]:
    """Rows that another key has sealed, locked, in the order of their ids."""
    query = (
        select(table)
        .where(
            col(table.id) > after,
            col(table.sealed) != "",
            ~col(table.sealed).startswith(f"{key_id}.", autoescape=True),
        )
        .order_by(col(table.id))
        .limit(limit)
        .with_for_update()
    )
    rows = (await session.execute(query)).scalars().all()
    return cast(Sequence[SealedRow], rows)  # of three tables, mypy only sees what is common to all
