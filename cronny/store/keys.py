"""A tenant's API keys; of each only the digest is kept."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import Conflict, NotFound
from cronny.names import new_id
from cronny.store.tables import ApiKey, Tenant


class Keys:
    """The API keys of one tenant."""

    def __init__(self, session: AsyncSession, tenant_id: str) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def add(
        self, name: str, digest: str, role: str, scopes: JsonValue, now: datetime, expires_at: datetime | None
    ) -> ApiKey:
        """A new key of that name; raises Conflict if there is one."""
        await self._lock()
        if await self._found(name):
            raise Conflict(f"there is a key '{name}' already; revoke it first, or choose another name")
        key = ApiKey(
            id=new_id("key", now), tenant_id=self._tenant_id, name=name, digest=digest, role=role,
            scopes=scopes, created_at=now, expires_at=expires_at,
        )  # fmt: skip
        self._session.add(key)
        await self._session.flush()
        return key

    async def all(self) -> Sequence[ApiKey]:
        """Every key, by name."""
        query = select(ApiKey).where(col(ApiKey.tenant_id) == self._tenant_id)
        return (await self._session.execute(query.order_by(col(ApiKey.name), col(ApiKey.id)))).scalars().all()

    async def revoke(self, name_or_id: str) -> Sequence[ApiKey]:
        """Take back the keys of that name or id; gives them. Raises NotFound."""
        await self._lock()
        found = await self._found(name_or_id)
        if not found:
            raise NotFound(f"there is no key '{name_or_id}'")
        for key in found:
            await self._session.delete(key)
        await self._session.flush()
        return found

    async def _found(self, name_or_id: str) -> Sequence[ApiKey]:
        query = select(ApiKey).where(
            col(ApiKey.tenant_id) == self._tenant_id,
            or_(col(ApiKey.name) == name_or_id, col(ApiKey.id) == name_or_id),
        )
        return (await self._session.execute(query)).scalars().all()

    async def _lock(self) -> None:
        """One change of the keys after the other: two at once could leave nobody who may make keys."""
        query = select(col(Tenant.id)).where(col(Tenant.id) == self._tenant_id)
        await self._session.execute(query.with_for_update(key_share=True))
