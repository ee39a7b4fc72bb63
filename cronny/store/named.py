"""Rows that a tenant names: found, listed, held and deleted by their name."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import NotFound
from cronny.store.tenant_tables import SecretRow, VariableRow

RowT = TypeVar("RowT", VariableRow, SecretRow)


class Named(Generic[RowT]):
    """The rows of one kind that one tenant has."""

    table: ClassVar[type[VariableRow] | type[SecretRow]]
    noun: ClassVar[str]

    def __init__(self, session: AsyncSession, tenant_id: str) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def get(self, name: str, is_locked: bool = False) -> RowT:
        """The row of that name; raises NotFound."""
        row = await self.find(name, is_locked)
        if row is None:
            raise NotFound(f"there is no {self.noun} '{name}'")
        return row

    async def find(self, name: str, is_locked: bool = False) -> RowT | None:
        """The row of that name."""
        query = self._query([name])
        query = query.with_for_update() if is_locked else query
        return (await self._session.execute(query)).scalar_one_or_none()

    async def all(self) -> Sequence[RowT]:
        """Every row, by name."""
        return (await self._session.execute(self._query())).scalars().all()

    async def names(self) -> frozenset[str]:
        """The name of every row."""
        query = select(col(self.table.name)).where(col(self.table.tenant_id) == self._tenant_id)
        return frozenset((await self._session.execute(query)).scalars())

    async def named(self, names: Collection[str]) -> Mapping[str, RowT]:
        """Those of these rows that exist."""
        if not names:
            return {}
        return {row.name: row for row in (await self._session.execute(self._query(names))).scalars()}

    async def hold(self, names: Collection[str]) -> frozenset[str]:
        """The names of those of these rows that exist; until the commit none of them goes."""
        if not names:
            return frozenset()
        query = self._query(names).with_for_update(read=True)
        return frozenset(row.name for row in (await self._session.execute(query)).scalars())

    async def delete(self, row: RowT) -> None:
        """Forget a row."""
        await self._session.delete(row)

    def _query(self, names: Collection[str] | None = None) -> Select[RowT]:
        table: type[RowT] = self.table  # type: ignore[assignment]  # a subclass names the table of its rows
        query = select(table).where(col(self.table.tenant_id) == self._tenant_id)
        if names is not None:
            query = query.where(col(self.table.name).in_(names))
        return query.order_by(col(self.table.name))
