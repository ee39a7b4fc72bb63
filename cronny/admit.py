"""Makes a tenant and prints an API key for it: `python -m cronny.admit TENANT`.

For a tenant that is there it prints one more key. A key is shown this once: only its digest is kept. Its name
stands in the events of what it does. `--retention 30d` says for how many days the tenant's ledger is kept,
`--limit running_triggers=50` how much it may have of something, `--limit running_triggers=none` that there is
no such limit. With one of these, and without a name, a tenant that is there gets no further key.
"""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from getopt import GetoptError
from getopt import gnu_getopt as getopt

from cronny.clock import wall_clock
from cronny.errors import CronnyError
from cronny.secrets import hash_key, new_api_key
from cronny.settings import Settings
from cronny.sizes import parse_size
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.limits import Limit, set_limit
from cronny.store.tenants import Tenants
from dsl.durations import parse_duration

USAGE = "python -m cronny.admit [--name NAME] [--retention DAYS, such as 30d] [--limit NAME=MOST]… TENANT"
LEAST, MOST = 1, 2**31 - 1  # of any limit; what a column holds
MOST_BYTES = 2**62  # of what is kept
SIZES = (Limit.INPUT_BYTES, Limit.OUTPUT_BYTES, Limit.KEPT_BYTES)
SHORTEST = timedelta(days=1)


@dataclass(frozen=True)
class Admission:
    """What is asked for."""

    slug: str
    key_name: str | None
    retention: timedelta | None  #: None leaves it, for a new tenant the default.
    limits: Mapping[Limit, int | None]  #: None of one means that there is none.

    @property
    def is_change(self) -> bool:
        """Whether it says something of a tenant that may be there."""
        return self.retention is not None or bool(self.limits)


async def admit(database_url: str, wanted: Admission, now: datetime) -> str | None:
    """A new key of the tenant, which is made if there is none of that slug; None if only it was changed."""
    database = Database(database_url)
    key = new_api_key()
    try:
        async with database.write() as session:
            tenants = Tenants(session)
            found = await tenants.find(wanted.slug)
            tenant = found or await tenants.add(wanted.slug, now)
            if wanted.retention is not None:
                tenant.retention_days = wanted.retention.days
            for limit, most in wanted.limits.items():
                await set_limit(session, tenant, limit, most)
            if found is not None and wanted.is_change and wanted.key_name is None:
                return None
            await tenants.add_key(tenant, wanted.key_name or "admit", hash_key(key), now)
    finally:
        await database.close()
    return key


def main(arguments: list[str]) -> int:
    """The exit code; the key goes to standard output, the reason of a failure to standard error."""
    try:
        wanted = _read(arguments)
    except ValueError as error:
        return _refuse(f"--limit {error}", 2)
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
    if key is not None:
        print(key)  # noqa: T201
    return 0


def _read(arguments: list[str]) -> Admission | None:
    """What the command line asks for; None when it cannot be read. Raises ValueError for a limit."""
    try:
        options, rest = getopt(arguments, "", ["name=", "retention=", "limit="])
        given = {flag: value.strip() for flag, value in options}
        retention = parse_duration(given["--retention"]) if "--retention" in given else None
    except (GetoptError, ValueError):
        return None
    limits = dict(_limit(value) for flag, value in options if flag == "--limit")
    is_wrong = retention is not None and (retention < SHORTEST or retention % SHORTEST)
    name = given.get("--name")
    return None if len(rest) != 1 or is_wrong or name == "" else Admission(rest[0], name, retention, limits)


def _limit(text: str) -> tuple[Limit, int | None]:
    """A limit and how much there may be; raises ValueError."""
    name, _, value = (part.strip() for part in text.partition("="))
    if name not in set(Limit):
        raise ValueError(f"{text}: there is no limit '{name}'; the limits are {', '.join(Limit)}")
    limit = Limit(name)
    if value == "none":
        return limit, None
    most = _amount(limit, value)
    if not LEAST <= most <= (MOST_BYTES if limit is Limit.KEPT_BYTES else MOST):
        example = "30s" if limit is Limit.MINIMUM_INTERVAL else "10m" if limit in SIZES else "50"
        raise ValueError(f"{text}: must be like {name}={example}, 1 at least, or {name}=none")
    return limit, most


def _amount(limit: Limit, text: str) -> int:
    """How much a text says of a limit; 0 for what is no amount."""
    if limit is Limit.MINIMUM_INTERVAL:
        return _seconds(text)
    if text.isdecimal():
        return int(text)
    try:
        return parse_size(text.lower()) if limit in SIZES else 0
    except ValueError:
        return 0


def _seconds(text: str) -> int:
    """Whole seconds of a duration; 0 for what is none."""
    try:
        seconds, rest = divmod(parse_duration(text), timedelta(seconds=1))
    except ValueError:
        return 0
    return 0 if rest else seconds


def _refuse(reason: str, code: int) -> int:
    print(f"cronny: {reason}", file=sys.stderr)  # noqa: T201
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
