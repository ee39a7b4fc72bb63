"""A tenant's variables, and what they were when a trigger started."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import col

from cronny.names import new_id
from cronny.store.database import Database
from cronny.store.named import Named
from cronny.store.tables import Tenant, TriggerRow, TriggerState
from cronny.store.tenant_tables import VariableRow, VariableValueRow

BATCH = 25  # values of one transaction, as of triggers


class Variables(Named[VariableRow]):
    """The variables of one tenant."""

    table = VariableRow
    noun = "variable"

    async def save(self, name: str, value: JsonValue, now: datetime) -> tuple[VariableRow, bool]:
        """The variable with this value, and whether that changed anything."""
        row = await self.find(name, is_locked=True)
        if row is not None and _is_same(row.value, value):
            return row, False
        if row is None:
            row = VariableRow(
                id=new_id("var", now), tenant_id=self._tenant_id, name=name, value=value, revision=0,
                created_at=now, updated_at=now,
            )  # fmt: skip
            self._session.add(row)
        row.value, row.updated_at = value, await self._remember(name, value, now)
        flag_modified(row, "value")  # 1, 1.0 and true are equal in Python, and would be left as they are
        row.revision += 1
        await self._session.flush()
        return row, True

    async def forget(self, row: VariableRow, now: datetime) -> None:
        """Delete a variable; triggers that have started keep its value."""
        await self._remember(row.name, None, now)
        await self.delete(row)

    async def values(self, names: Collection[str], at: datetime | None) -> Mapping[str, JsonValue]:
        """The values that those of these variables had that existed at an instant; now, if it is None."""
        if not names:
            return {}
        rows = (await self.named(names)).values()
        known = {row.name: row.value for row in rows if at is None or row.updated_at <= at}
        if at is None or not (changed := [name for name in names if name not in known]):
            return known
        found = await self._session.execute(_values_at(self._tenant_id, changed, at))
        return known | {row.name: row.value for row in found.scalars()}

    async def _remember(self, name: str, value: JsonValue, now: datetime) -> datetime:
        """Write down a value, and since when it holds: later than those before it, whatever clocks say."""
        at = col(VariableValueRow.at)
        query = select(func.max(at)).where(*_of(self._tenant_id, [name]))
        last: datetime | None = (await self._session.execute(query)).scalar_one_or_none()
        since = now if last is None else max(now, last + timedelta.resolution)
        self._session.add(VariableValueRow(tenant_id=self._tenant_id, name=name, at=since, value=value))
        return since


async def purge_values(database: Database, tenant: Tenant, now: datetime) -> int:
    """Delete some of the values that no trigger needs which executes, or is kept; how many."""
    async with database.read() as session:
        old = await _old_values(session, tenant, now - timedelta(days=tenant.retention_days))
    if not old:
        return 0
    key = tuple_(col(VariableValueRow.name), col(VariableValueRow.at))
    is_own = col(VariableValueRow.tenant_id) == tenant.id
    async with database.write() as session:
        await session.execute(delete(VariableValueRow).where(is_own, key.in_(old)))
    return len(old)


async def _old_values(
    session: AsyncSession, tenant: Tenant, before: datetime
) -> Sequence[tuple[str, datetime]]:
    """Which values were followed by others, or by none, before an instant and before any trigger's start."""
    executing = select(func.min(col(TriggerRow.started_at))).where(
        col(TriggerRow.tenant_id) == tenant.id, col(TriggerRow.state) == TriggerState.EXECUTING
    )
    oldest: datetime | None = (await session.execute(executing)).scalar_one_or_none()
    until, later = min(before, oldest or before), aliased(VariableValueRow)
    is_followed = (
        select(col(later.name))
        .where(
            col(later.tenant_id) == col(VariableValueRow.tenant_id),
            col(later.name) == col(VariableValueRow.name),
            col(later.at) > col(VariableValueRow.at),
            col(later.at) <= until,
        )
        .exists()
    )
    name, at = col(VariableValueRow.name), col(VariableValueRow.at)
    is_end = and_(col(VariableValueRow.value).is_(None), at <= until)
    query = select(name, at).where(col(VariableValueRow.tenant_id) == tenant.id, or_(is_followed, is_end))
    rows = await session.execute(query.order_by(at, name).limit(BATCH))
    return [(row[0], row[1]) for row in rows]


def _of(tenant_id: str, names: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return col(VariableValueRow.tenant_id) == tenant_id, col(VariableValueRow.name).in_(names)


def _values_at(tenant_id: str, names: Collection[str], at: datetime) -> Select[VariableValueRow]:
    last = (
        select(col(VariableValueRow.name), func.max(col(VariableValueRow.at)).label("at"))
        .where(*_of(tenant_id, names), col(VariableValueRow.at) <= at)
        .group_by(col(VariableValueRow.name))
        .subquery()
    )
    same = and_(col(VariableValueRow.name) == last.c.name, col(VariableValueRow.at) == last.c.at)
    had = col(VariableValueRow.value).is_not(None)
    return select(VariableValueRow).join(last, same).where(*_of(tenant_id, names), had)


def _is_same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are one in JSON; Python takes 1, 1.0 and true for the same."""
    return repr(one) == repr(other)
