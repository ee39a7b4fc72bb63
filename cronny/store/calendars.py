"""A tenant's calendars."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from pydantic import JsonValue
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import QueryableAttribute, defer
from sqlmodel import col

from cronny.errors import NotFound
from cronny.names import new_id
from cronny.store.tenant_tables import CalendarRow

# SQLModel types a column as its value.
_SOURCE = cast("QueryableAttribute[str]", CalendarRow.source)
_MODEL = cast("QueryableAttribute[JsonValue]", CalendarRow.model)


@dataclass(frozen=True, order=True)
class Mark:
    """Which state of a calendar this is; what it holds never changes under the same mark."""

    name: str
    id: str
    revision: int


class Calendars:
    """The calendars of one tenant."""

    def __init__(self, session: AsyncSession, tenant_id: str) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def save(
        self, name: str, kind: str, source: str, model: JsonValue, now: datetime
    ) -> tuple[CalendarRow, bool]:
        """The calendar with this text, locked, and whether it now holds something else."""
        row = await self._find(name, is_locked=True)
        if row is not None and row.source == source:
            return row, False
        if row is None:
            row = CalendarRow(
                id=new_id("cal", now), tenant_id=self._tenant_id, name=name, kind=kind, source=source,
                model=model, revision=0, created_at=now, updated_at=now,
            )  # fmt: skip
            self._session.add(row)
        is_other = row.revision == 0 or row.model != model
        row.kind, row.source, row.model, row.updated_at = kind, source, model, now
        row.revision += 1
        await self._session.flush()
        return row, is_other

    async def get(self, name: str, is_locked: bool = False) -> CalendarRow:
        """The calendar of that name; raises NotFound."""
        row = await self._find(name, is_locked)
        if row is None:
            raise NotFound(f"there is no calendar '{name}'")
        return row

    async def all(self) -> Sequence[CalendarRow]:
        """Every calendar, by name, without what it holds."""
        query = (
            select(CalendarRow)
            .options(defer(_SOURCE), defer(_MODEL))
            .where(col(CalendarRow.tenant_id) == self._tenant_id)
            .order_by(col(CalendarRow.name))
        )
        return (await self._session.execute(query)).scalars().all()

    async def names(self) -> Sequence[str]:
        """The name of every calendar."""
        query = select(col(CalendarRow.name)).where(col(CalendarRow.tenant_id) == self._tenant_id)
        return (await self._session.execute(query.order_by(col(CalendarRow.name)))).scalars().all()

    async def contents(self, names: Collection[str]) -> Mapping[Mark, JsonValue]:
        """What those of these calendars hold that exist."""
        return await self._contents(names, self._named(names))

    async def hold(self, names: Collection[str]) -> Mapping[Mark, JsonValue]:
        """The same; and until the commit they stay as they are."""
        query = self._named(names).order_by(col(CalendarRow.name)).with_for_update(read=True)
        return await self._contents(names, query)

    async def marks(self, names: Collection[str]) -> tuple[Mark, ...]:
        """The present state of those of these calendars that exist, by name."""
        if not names:
            return ()
        query = select(col(CalendarRow.name), col(CalendarRow.id), col(CalendarRow.revision)).where(
            col(CalendarRow.tenant_id) == self._tenant_id, col(CalendarRow.name).in_(names)
        )
        return tuple(sorted(Mark(*row) for row in await self._session.execute(query)))

    async def delete(self, row: CalendarRow) -> None:
        """Forget a calendar."""
        await self._session.delete(row)

    async def _find(self, name: str, is_locked: bool = False) -> CalendarRow | None:
        query = self._named([name])
        if is_locked:
            query = query.with_for_update()
        return (await self._session.execute(query)).scalar_one_or_none()

    async def _contents(self, names: Collection[str], query: Select[CalendarRow]) -> Mapping[Mark, JsonValue]:
        if not names:
            return {}
        rows = (await self._session.execute(query.options(defer(_SOURCE)))).scalars()
        return {mark_of(row): row.model for row in rows}

    def _named(self, names: Collection[str]) -> Select[CalendarRow]:
        return select(CalendarRow).where(
            col(CalendarRow.tenant_id) == self._tenant_id, col(CalendarRow.name).in_(names)
        )


def mark_of(row: CalendarRow) -> Mark:
    """The state that a row is in."""
    return Mark(row.name, row.id, row.revision)
