"""When connections, secrets and API keys were last used: written rarely, as everything uses some."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.tables import ApiKey, ConnectionRow
from cronny.store.tenant_tables import SecretRow

Used = Literal["api_key", "connection", "secret"]

TABLES: Mapping[Used, type[ApiKey] | type[ConnectionRow] | type[SecretRow]] = {
    "api_key": ApiKey,
    "connection": ConnectionRow,
    "secret": SecretRow,
}


@dataclass(frozen=True, order=True)
class Use:
    """Something that was used, by its id."""

    what: Used
    id: str


async def note_uses(session: AsyncSession, uses: Collection[Use], now: datetime) -> None:
    """Write down that these were used now."""
    for use in sorted(uses):
        table = TABLES[use.what]
        await session.execute(
            update(table)
            .where(col(table.id) == use.id)
            .values(last_used_at=now)
            .execution_options(synchronize_session=False)
        )
