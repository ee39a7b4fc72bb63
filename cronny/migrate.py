"""Brings this installation's database to the newest schema: `python -m cronny.migrate`."""

import sys

from cronny.errors import CronnyError
from cronny.settings import Settings
from cronny.store.migrate import upgrade


def main() -> int:
    """The exit code; the reason of a failure is one line on standard error."""
    try:
        upgrade(Settings().database_url)
    except CronnyError as error:
        print(f"cronny: the database cannot be used: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
