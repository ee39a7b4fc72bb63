"""Which large values there are, who keeps them, and which of them nobody keeps."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import delete, insert, literal, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from cronny.blobs import Place
from cronny.errors import LimitReached
from cronny.store.blob_tables import BlobRow
from cronny.store.item_tables import ItemRow
from cronny.store.limits import Limit, Limits, limit_of
from cronny.store.tables import StageRow, Tenant, TriggerRow


@dataclass(frozen=True)
class Large:
    """A value that is kept outside of the database."""

    id: str
    size: int  #: Bytes of its JSON.


Larges = Mapping[str, Large]  # by the field of a record that it is the value of

Keeper = TriggerRow | StageRow | ItemRow


def larges_of(found: JsonValue) -> Larges:
    """The large values of a record, from its column."""
    if not isinstance(found, dict):
        return {}
    return {
        name: Large(str(one["id"]), int(str(one["size"])))
        for name, one in found.items()
        if isinstance(one, dict)
    }


def column_of(larges: Larges) -> JsonValue:
    """The column of a record that says which of its values are kept elsewhere."""
    return {name: {"id": one.id, "size": one.size} for name, one in larges.items()} or None


async def add_blob(
    session: AsyncSession, tenant_id: str, trigger_id: str, large: Large, now: datetime
) -> None:
    """Write down that a trigger is going to keep a value; raises LimitReached."""
    # Two that are added at once must not pass the limit together.
    tenant = await session.get_one(Tenant, tenant_id)
    most = limit_of(tenant, Limit.KEPT_BYTES)
    if most is not None:
        await session.get_one(Tenant, tenant_id, with_for_update={"key_share": True})
        used = await Limits(session, tenant).kept_bytes()
        if used + large.size > most:
            raise LimitReached(f"the tenant's limit '{Limit.KEPT_BYTES}' is {most}, and {used} are in use")
    row = BlobRow(id=large.id, trigger_id=trigger_id, tenant_id=tenant_id, size=large.size, created_at=now)
    await session.merge(row)


async def share_blobs(session: AsyncSession, of: str, by: str, ids: Collection[str]) -> None:
    """Have another trigger keep values, too."""
    if not ids:
        return
    names = ("trigger_id", "id", "tenant_id", "size", "created_at", "dropped_at")
    found = select(
        literal(by), col(BlobRow.id), col(BlobRow.tenant_id), col(BlobRow.size), col(BlobRow.created_at),
        null(),
    ).where(col(BlobRow.trigger_id) == of, col(BlobRow.id).in_(sorted(ids)))  # fmt: skip
    await session.execute(insert(BlobRow).from_select(names, found))


async def blobs_in(session: AsyncSession, trigger_id: str) -> set[str]:
    """The ids of the values that the records of a trigger's stages and items have."""
    ids: set[str] = set()
    for table in (StageRow, ItemRow):
        query = select(col(table.large)).where(
            col(table.trigger_id) == trigger_id, col(table.large).is_not(None)
        )
        for found in (await session.execute(query)).scalars():
            ids |= {one.id for one in larges_of(found).values()}
    return ids


async def drop_blobs(session: AsyncSession, triggers: Collection[str], now: datetime) -> None:
    """Have triggers keep nothing any longer; what nobody else keeps is to be deleted."""
    other = aliased(BlobRow)
    is_shared = (
        select(col(other.id))
        .where(col(other.id) == col(BlobRow.id), col(other.trigger_id) != col(BlobRow.trigger_id))
        .exists()
    )
    ours = col(BlobRow.trigger_id).in_(triggers)
    quietly = {"synchronize_session": False}
    # One that two of them share is shared only until the first one has gone.
    for trigger_id in sorted(triggers):
        query = delete(BlobRow).where(col(BlobRow.trigger_id) == trigger_id, is_shared)
        await session.execute(query, execution_options=quietly)
    await session.execute(update(BlobRow).where(ours).values(dropped_at=now), execution_options=quietly)


async def drop_blob(session: AsyncSession, trigger_id: str, blob_id: str, now: datetime) -> None:
    """Have a value deleted that could not be written."""
    await session.execute(
        update(BlobRow)
        .where(col(BlobRow.trigger_id) == trigger_id, col(BlobRow.id) == blob_id)
        .values(dropped_at=now)
        .execution_options(synchronize_session=False)
    )


async def garbage(session: AsyncSession, limit: int) -> Sequence[Place]:
    """Values to be deleted, the oldest first."""
    query = (
        select(col(BlobRow.tenant_id), col(BlobRow.id))
        .where(col(BlobRow.dropped_at).is_not(None))
        .order_by(col(BlobRow.dropped_at), col(BlobRow.id))
        .limit(limit)
    )
    return [Place(tenant, blob) for tenant, blob in await session.execute(query)]


async def forget_blobs(session: AsyncSession, places: Collection[Place]) -> None:
    """Forget values that have been deleted."""
    ids = [place.blob_id for place in places]
    await session.execute(
        delete(BlobRow).where(col(BlobRow.id).in_(ids), col(BlobRow.dropped_at).is_not(None))
    )
