"""Sealing everything again under the newest key: a few rows at a time, as often as it takes."""

from collections.abc import Callable
from dataclasses import dataclass

from cronny.secrets import KeyRing, Unsealable
from cronny.store.database import Database
from cronny.store.sealed import TABLES, SealedTable, count_by_key, sealed_otherwise
from cronny.vault import reseal

BATCH = 50  # rows of one transaction: it keeps others from writing for some milliseconds

Tell = Callable[[int, int], None]  # how many are done, of how many


@dataclass(frozen=True)
class Resealed:
    """What came of it."""

    done: int
    unreadable: tuple[str, ...]  #: The ids of rows whose key is lost.


async def reseal_all(database: Database, keyring: KeyRing, tell: Tell) -> Resealed:
    """Seal again what another key than the newest has sealed.

    Interrupted, it is complete as far as it came; called again, it does the rest.
    """
    async with database.read() as session:
        counts = await count_by_key(session)
    total = sum(count for key_id, count in counts.items() if key_id != keyring.newest)
    done, unreadable = 0, list[str]()
    for table in TABLES:
        after: str | None = ""
        while after is not None:
            after, sealed, lost = await _reseal_batch(database, keyring, table, after)
            done += sealed
            unreadable += lost
            tell(done, total)
    return Resealed(done, tuple(unreadable))


async def _reseal_batch(
    database: Database, keyring: KeyRing, table: SealedTable, after: str
) -> tuple[str | None, int, list[str]]:
    """The id of the last row, None when no more follow; how many were sealed; the ids of those lost."""
    lost = []
    async with database.write() as session:
        rows = await sealed_otherwise(session, table, keyring.newest, after, BATCH)
        for row in rows:
            try:
                row.sealed = reseal(keyring, row)
            except Unsealable:
                lost.append(row.id)
    return (rows[-1].id if len(rows) == BATCH else None), len(rows) - len(lost), lost
