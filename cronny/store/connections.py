"""A tenant's connections; what is secret in them is sealed before it comes here."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import NotFound
from cronny.names import new_id
from cronny.store.tables import ConnectionRow


class Connections:
    """The connections of one tenant."""

    def __init__(self, session: AsyncSession, tenant_id: str) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def reserve(self, name: str, kind: str, now: datetime) -> ConnectionRow:
        """The row to fill, locked: the one of that name, or a new one with an id to seal for."""
        row = await self._find(name, is_locked=True)
        if row is None:
            row = ConnectionRow(
                id=new_id("con", now), tenant_id=self._tenant_id, name=name, kind=kind, settings={},
                sealed="", revision=0, created_at=now, updated_at=now,
            )  # fmt: skip
        return row

    async def save(
        self, row: ConnectionRow, kind: str, settings: JsonValue, sealed: str, now: datetime
    ) -> None:
        """Fill a reserved row."""
        row.kind, row.settings, row.sealed, row.updated_at = kind, settings, sealed, now
        row.revision += 1
        self._session.add(row)
        await self._session.flush()

    async def get(self, name: str, is_locked: bool = False) -> ConnectionRow:
        """The connection of that name; raises NotFound."""
        row = await self._find(name, is_locked)
        if row is None:
            raise NotFound(f"there is no connection '{name}'")
        return row

    async def all(self) -> Sequence[ConnectionRow]:
        """Every connection, by name."""
        query = (
            select(ConnectionRow)
            .where(col(ConnectionRow.tenant_id) == self._tenant_id)
            .order_by(col(ConnectionRow.name))
        )
        return (await self._session.execute(query)).scalars().all()

    async def kinds(self) -> Mapping[str, str]:
        """The kind of each connection by its name."""
        return {row.name: row.kind for row in await self.all()}

    async def hold(self, names: Collection[str]) -> Mapping[str, str]:
        """The kinds of those of these connections that exist; they stay as they are until the commit."""
        query = (
            select(ConnectionRow)
            .where(col(ConnectionRow.tenant_id) == self._tenant_id, col(ConnectionRow.name).in_(names))
            .order_by(col(ConnectionRow.name))
            .with_for_update(read=True)
        )
        return {row.name: row.kind for row in (await self._session.execute(query)).scalars()}

    async def by_id(self, connection_id: str) -> ConnectionRow:
        """The connection of that id; raises NotFound."""
        query = select(ConnectionRow).where(
            col(ConnectionRow.tenant_id) == self._tenant_id, col(ConnectionRow.id) == connection_id
        )
        row = (await self._session.execute(query)).scalar_one_or_none()
        if row is None:
            raise NotFound("the connection was deleted at this moment")
        return row

    async def note_check(self, connection_id: str, checked: JsonValue) -> None:
        """Write down what a test of a connection found."""
        await self._session.execute(
            update(ConnectionRow)
            .where(col(ConnectionRow.tenant_id) == self._tenant_id, col(ConnectionRow.id) == connection_id)
            .values(checked=checked)
        )

    async def delete(self, row: ConnectionRow) -> None:
        """Forget a connection."""
        await self._session.delete(row)

    async def _find(self, name: str, is_locked: bool = False) -> ConnectionRow | None:
        query = select(ConnectionRow).where(
            col(ConnectionRow.tenant_id) == self._tenant_id, col(ConnectionRow.name) == name
        )
        if is_locked:
            query = query.with_for_update()
        return (await self._session.execute(query)).scalar_one_or_none()
