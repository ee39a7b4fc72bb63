"""Tenants and their API keys, for those who act on behalf of all tenants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import Conflict, Unauthorised
from cronny.names import is_name, new_id
from cronny.store.tables import RETENTION_DAYS, ApiKey, Tenant


@dataclass(frozen=True)
class Holder:
    """Whom a key acts for, under which name, and what it may."""

    tenant: Tenant
    key: ApiKey

    @property
    def name(self) -> str:
        """The name under which it acts."""
        return self.key.name


class Tenants:
    """The tenant table."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self, slug: str, now: datetime, pool: str = "default", retention_days: int = RETENTION_DAYS
    ) -> Tenant:
        """A new tenant; raises Conflict when the slug is taken or no name."""
        if not is_name(slug):
            raise Conflict(f"tenant '{slug}': use lower-case letters, digits, '-' and '_', a letter first")
        if await self.find(slug) is not None:
            raise Conflict(f"tenant '{slug}' exists already")
        tenant = Tenant(
            id=new_id("ten", now), slug=slug, pool=pool, retention_days=retention_days, created_at=now
        )
        self._session.add(tenant)
        await self._session.flush()
        return tenant

    async def find(self, slug: str) -> Tenant | None:
        """The tenant of that slug."""
        return (
            await self._session.execute(select(Tenant).where(col(Tenant.slug) == slug))
        ).scalar_one_or_none()

    async def all(self) -> Sequence[Tenant]:
        """Every tenant, by slug."""
        return (await self._session.execute(select(Tenant).order_by(col(Tenant.slug)))).scalars().all()

    async def of_pool(self, pool: str) -> Sequence[Tenant]:
        """The tenants that a pool's workers serve, by slug."""
        query = select(Tenant).where(col(Tenant.pool) == pool).order_by(col(Tenant.slug))
        return (await self._session.execute(query)).scalars().all()

    async def add_key(self, tenant: Tenant, name: str, digest: str, now: datetime) -> None:
        """Let a key, known by its digest, act for the tenant."""
        key = ApiKey(id=new_id("key", now), tenant_id=tenant.id, name=name, digest=digest, created_at=now)
        self._session.add(key)
        await self._session.flush()

    async def drop_keys(self, tenant: Tenant, name: str) -> None:
        """Take back the tenant's keys of that name."""
        query = select(ApiKey).where(col(ApiKey.tenant_id) == tenant.id, col(ApiKey.name) == name)
        for key in (await self._session.execute(query)).scalars():
            await self._session.delete(key)

    async def by_key(self, digest: str) -> Holder:
        """The tenant that a key acts for, and the key's name; raises Unauthorised when there is none."""
        query = select(Tenant, ApiKey).join(ApiKey).where(col(ApiKey.digest) == digest)
        found = (await self._session.execute(query)).one_or_none()
        if found is None:
            raise Unauthorised("this API key is not known")
        return Holder(found.Tenant, found.ApiKey)
