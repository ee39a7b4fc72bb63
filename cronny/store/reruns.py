"""Triggers that repeat a part of another one, and take over the rest."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, inspect, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col

from cronny.store.item_tables import ItemRow
from cronny.store.tables import StageRow, TriggerRow


async def take_over(session: AsyncSession, of: str, by: str, stages: Collection[str]) -> None:
    """Copy the records of these stages, and of their items, from one trigger to another."""
    if not stages:
        return
    wanted = sorted(stages)
    for table in (StageRow, ItemRow):
        names = [column.name for column in inspect(table).columns]
        values: list[ColumnElement[Any]] = [_value(table, name, by) for name in names]
        found = select(*values).where(
            col(table.trigger_id) == bindparam("of_trigger", of), col(table.stage_id).in_(wanted)
        )
        await session.execute(insert(table).from_select(names, found))


async def reruns_of(session: AsyncSession, trigger_id: str) -> Sequence[str]:
    """The ids of the triggers that repeat a part of this one, the first one first."""
    query = select(col(TriggerRow.id)).where(col(TriggerRow.rerun_of) == trigger_id)
    return (await session.execute(query.order_by(col(TriggerRow.id)))).scalars().all()


def _value(table: type[StageRow | ItemRow], name: str, by: str) -> ColumnElement[Any]:
    if name == "trigger_id":
        return literal(by)
    return literal(True) if name == "taken_over" else getattr(table, name)
