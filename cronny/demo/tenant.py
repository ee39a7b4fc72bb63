"""The demo's tenant and the key that acts for it."""

from datetime import datetime

from cronny.errors import Unauthorised
from cronny.secrets import hash_key, new_api_key
from cronny.store.database import Database
from cronny.store.tables import Tenant
from cronny.store.tenants import Tenants

TENANT = "demo"
KEY_NAME = "cronny up"


async def ensure_tenant(database_url: str, known_key: str | None, now: datetime) -> str:
    """A key of the tenant: the known one if it still acts for it, else a new one in place of the last."""
    database = Database(database_url)
    try:
        async with database.write() as session:
            tenants = Tenants(session)
            tenant = await tenants.find(TENANT) or await tenants.add(TENANT, now)
            if known_key is not None and await _acts_for(tenants, known_key, tenant):
                return known_key
            key = new_api_key()
            await tenants.drop_keys(tenant, KEY_NAME)
            await tenants.add_key(tenant, KEY_NAME, hash_key(key), now)
        return key
    finally:
        await database.close()


async def _acts_for(tenants: Tenants, key: str, tenant: Tenant) -> bool:
    try:
        return (await tenants.by_key(hash_key(key))).tenant.id == tenant.id
    except Unauthorised:
        return False
