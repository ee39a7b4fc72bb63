"""Makes a tenant and prints an API key for it: `python -m cronny.admit TENANT`.

For a tenant that is there it prints one more key. A key is shown this once: only its digest is kept.
"""

import asyncio
import sys
from datetime import datetime

from cronny.clock import wall_clock
from cronny.errors import CronnyError
from cronny.secrets import hash_key, new_api_key
from cronny.settings import Settings
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.tenants import Tenants


async def admit(database_url: str, slug: str, now: datetime) -> str:
    """A new key of the tenant, which is made if there is none of that slug."""
    database = Database(database_url)
    key = new_api_key()
    try:
        async with database.write() as session:
            tenants = Tenants(session)
            tenant = await tenants.find(slug) or await tenants.add(slug, now)
            await tenants.add_key(tenant, "admit", hash_key(key), now)
    finally:
        await database.close()
    return key


def main(arguments: list[str]) -> int:
    """The exit code; the key goes to standard output, the reason of a failure to standard error."""
    if len(arguments) != 1:
        return _refuse("usage: python -m cronny.admit TENANT", 2)
    try:
        key = asyncio.run(admit(Settings().database_url, arguments[0], wall_clock()))
    except CronnyError as error:
        return _refuse(str(error), 1)
    except Exception as error:
        meaning = meaning_of(error)
        if meaning is None:
            raise
        return _refuse(str(meaning), 1)
    print(key)  # noqa: T201
    return 0


def _refuse(reason: str, code: int) -> int:
    print(f"cronny: {reason}", file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
