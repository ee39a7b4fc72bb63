"""Triggers that repeat a part of another one, and take over the rest."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, insert, inspect, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col

from cronny.errors import NotFound
from cronny.store.blobs import blobs_in, share_blobs
from cronny.store.item_tables import ItemRow, ItemState
from cronny.store.tables import StageRow, TriggerRow


@dataclass(frozen=True)
class Kept:
    """What a re-run takes over from the trigger that it repeats."""

    stages: Collection[str]
    resumed: Collection[str] = ()  #: Stages that are executed again, but for their items that completed.


async def take_over(session: AsyncSession, of: str, by: str, kept: Kept) -> None:
    """Copy the records of stages and of items from one trigger to another; raises NotFound."""
    # Or the purger could take away what is about to be shared.
    query = select(col(TriggerRow.id)).where(col(TriggerRow.id) == of).with_for_update(read=True)
    if (await session.execute(query)).scalar_one_or_none() is None:
        raise NotFound(f"there is no trigger '{of}' any more")
    stages, resumed = sorted(kept.stages), sorted(kept.resumed)
    await _copy(session, StageRow, (of, by), col(StageRow.stage_id).in_(stages))
    has_completed = and_(col(ItemRow.stage_id).in_(resumed), col(ItemRow.state) == ItemState.COMPLETED)
    await _copy(session, ItemRow, (of, by), or_(col(ItemRow.stage_id).in_(stages), has_completed))
    await share_blobs(session, of, by, await blobs_in(session, by))


async def _copy(
    session: AsyncSession,
    table: type[StageRow | ItemRow],
    triggers: tuple[str, str],
    which: ColumnElement[bool],
) -> None:
    of, by = triggers
    names = [column.name for column in inspect(table).columns]
    values: list[ColumnElement[Any]] = [_value(table, name, by) for name in names]
    found = select(*values).where(col(table.trigger_id) == bindparam("of_trigger", of), which)
    await session.execute(insert(table).from_select(names, found))


async def reruns_of(session: AsyncSession, trigger_id: str) -> Sequence[str]:
    """The ids of the triggers that repeat a part of this one, the first one first."""
    query = select(col(TriggerRow.id)).where(col(TriggerRow.rerun_of) == trigger_id)
    return (await session.execute(query.order_by(col(TriggerRow.id)))).scalars().all()


def _value(table: type[StageRow | ItemRow], name: str, by: str) -> ColumnElement[Any]:
    if name == "trigger_id":
        return literal(by)
    return literal(True) if name == "taken_over" else getattr(table, name)
