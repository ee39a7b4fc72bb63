"""Makes a tenant and prints an API key for it: `python -m cronny.admit TENANT`.

For a tenant that is there it prints one more key. A key is shown this once: only its digest is kept. Its name
stands in the events of what it does. `--retention 30d` says for how many days the tenant's ledger is kept.
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from getopt import GetoptError
from getopt import gnu_getopt as getopt

from cronny.clock import wall_clock
from cronny.errors import CronnyError
from cronny.secrets import hash_key, new_api_key
from cronny.settings import Settings
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.tenants import Tenants
from dsl.durations import parse_duration

USAGE = "python -m cronny.admit [--name NAME] [--retention DAYS, such as 30d] TENANT"
SHORTEST = timedelta(days=1)


@dataclass(frozen=True)
class Admission:
    """What is asked for."""

    slug: str
    key_name: str
    retention: timedelta | None  #: None leaves it, for a new tenant the default.


async def admit(database_url: str, wanted: Admission, now: datetime) -> str:
    """A new key of the tenant, which is made if there is none of that slug."""
    database = Database(database_url)
    key = new_api_key()
    try:
        async with database.write() as session:
            tenants = Tenants(session)
            tenant = await tenants.find(wanted.slug) or await tenants.add(wanted.slug, now)
            if wanted.retention is not None:
                tenant.retention_days = wanted.retention.days
            await tenants.add_key(tenant, wanted.key_name, hash_key(key), now)
    finally:
        await database.close()
    return key


def main(arguments: list[str]) -> int:
    """The exit code; the key goes to standard output, the reason of a failure to standard error."""
    wanted = _read(arguments)
    if wanted is None:
        return _refuse(f"usage: {USAGE}", 2)
    try:
        key = asyncio.run(admit(Settings().database_url, wanted, wall_clock()))
    except CronnyError as error:
        return _refuse(str(error), 1)
    except Exception as error:
        meaning = meaning_of(error)
        if meaning is None:
            raise
        return _refuse(str(meaning), 1)
    print(key)  # noqa: T201
    return 0


def _read(arguments: list[str]) -> Admission | None:
    """What the command line asks for; None when it cannot be read."""
    try:
        options, rest = getopt(arguments, "", ["name=", "retention="])
        given = {flag: value.strip() for flag, value in options}
        retention = parse_duration(given["--retention"]) if "--retention" in given else None
    except (GetoptError, ValueError):
        return None
    is_wrong = retention is not None and (retention < SHORTEST or retention % SHORTEST)
    name = given.get("--name", "admit")
    return None if len(rest) != 1 or is_wrong or not name else Admission(rest[0], name, retention)


def _refuse(reason: str, code: int) -> int:
    print(f"cronny: {reason}", file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
