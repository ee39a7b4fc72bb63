"""Failed attempts that were followed by another one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.columns import storable
from cronny.store.item_tables import AttemptRow

OF_STAGE = -1  # the item of an attempt of a stage as a whole
MOST_SHOWN = 1000  # attempts of one trigger: a hundred for each of two hundred stages would help nobody


@dataclass(frozen=True)
class FailedAttempt:
    """An attempt that failed and is tried again."""

    trigger_id: str
    stage_id: str
    item: int
    attempt: int
    failed_at: datetime
    error: JsonValue
    log: str


async def add_attempts(session: AsyncSession, failed: Sequence[FailedAttempt]) -> None:
    """Write down failed attempts, each once."""
    rows = [
        {
            "trigger_id": one.trigger_id, "stage_id": one.stage_id, "item": one.item, "attempt": one.attempt,
            "failed_at": one.failed_at, "error": one.error, "log": storable(one.log),
        }
        for one in failed
    ]  # fmt: skip
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    await (await session.connection()).execute(insert(AttemptRow).on_conflict_do_nothing(), rows)


async def find_attempt(
    session: AsyncSession, trigger_id: str, stage_id: str, attempt: int
) -> AttemptRow | None:
    """A failed attempt of a stage."""
    return await session.get(AttemptRow, (trigger_id, stage_id, OF_STAGE, attempt))


async def attempts_of(session: AsyncSession, trigger_id: str) -> Mapping[str, Sequence[AttemptRow]]:
    """The failed attempts of a trigger's stages, by the id of the stage and in order."""
    query = (
        select(AttemptRow)
        .where(col(AttemptRow.trigger_id) == trigger_id, col(AttemptRow.item) == OF_STAGE)
        .order_by(col(AttemptRow.stage_id), col(AttemptRow.attempt))
        .limit(MOST_SHOWN)
    )
    found: dict[str, list[AttemptRow]] = {}
    for row in (await session.execute(query)).scalars():
        found.setdefault(row.stage_id, []).append(row)
    return found
