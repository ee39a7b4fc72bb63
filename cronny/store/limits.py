"""What a tenant may have at the most, and what it has."""

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import LimitReached
from cronny.store.blob_tables import BlobRow
from cronny.store.tables import ActionRow, ScheduleRow, Tenant, TriggerRow, TriggerState


class Limit(StrEnum):
    """What may be limited; a tenant without a limit has as much as there is."""

    RUNNING_TRIGGERS = "running_triggers"  #: Triggers that execute at once; others wait.
    SCHEDULES = "schedules"  #: Schedules that there are.
    ACTIONS = "actions"  #: Actions that there are.
    MINIMUM_INTERVAL = "minimum_interval"  #: Seconds between two fires of a schedule, at the least.
    INPUT_BYTES = "input_bytes"  #: The inputs of one trigger, as compact JSON.
    OUTPUT_BYTES = "output_bytes"  #: One output, as compact JSON; 16 KiB may always be.
    KEPT_BYTES = "kept_bytes"  #: All large values that are kept beside the database.


COUNTED = (Limit.SCHEDULES, Limit.ACTIONS)


class Limits:
    """The limits of one tenant."""

    def __init__(self, session: AsyncSession, tenant: Tenant) -> None:
        self._session = session
        self._tenant = tenant

    def of(self, limit: Limit) -> int | None:
        """How much of it the tenant may have."""
        return limit_of(self._tenant, limit)

    async def hold(self) -> None:
        """Lock the tenant where something is counted, before all else: two requests must not pass at once."""
        if any(self.of(limit) is not None for limit in COUNTED):
            query = select(col(Tenant.id)).where(col(Tenant.id) == self._tenant.id)
            await self._session.execute(query.with_for_update(key_share=True))

    async def require_room(self, limit: Limit, written: int = 0) -> None:
        """Raise LimitReached when there may be no further one; `written` are in the transaction already."""
        most = self.of(limit)
        if most is None:
            return
        count = await self._count(limit) - written
        if count >= most:
            raise LimitReached(
                f"the tenant's limit '{limit}' is {most}, and there are {count}: delete one, or ask whoever "
                "runs this installation for more"
            )

    async def usage(self) -> Mapping[Limit, int]:
        """How much the tenant has, of what can be counted."""
        query = select(func.count()).where(
            col(TriggerRow.tenant_id) == self._tenant.id,
            col(TriggerRow.state) == TriggerState.EXECUTING,
        )
        running = (await self._session.execute(query)).scalar_one()
        counted = {limit: await self._count(limit) for limit in COUNTED}
        return {Limit.RUNNING_TRIGGERS: running, **counted, Limit.KEPT_BYTES: await self.kept_bytes()}

    async def kept_bytes(self) -> int:
        """How much the tenant keeps beside the database; what several triggers share is counted once."""
        each = (
            select(col(BlobRow.id), col(BlobRow.size).label("size"))
            .distinct()
            .where(col(BlobRow.tenant_id) == self._tenant.id)
            .subquery()
        )
        return int(
            (await self._session.execute(select(func.coalesce(func.sum(each.c.size), 0)))).scalar_one()
        )

    async def _count(self, limit: Limit) -> int:
        query = select(func.count())
        if limit is Limit.SCHEDULES:
            query = query.where(
                col(ScheduleRow.tenant_id) == self._tenant.id, col(ScheduleRow.deleted_at).is_(None)
            )
        else:
            query = query.where(
                col(ActionRow.tenant_id) == self._tenant.id, col(ActionRow.deleted_at).is_(None)
            )
        return (await self._session.execute(query)).scalar_one()


def limit_of(tenant: Tenant, limit: Limit) -> int | None:
    """How much of it a tenant may have."""
    value = getattr(tenant, f"limit_{limit}")
    return None if value is None else int(value)


async def set_limit(session: AsyncSession, tenant: Tenant, limit: Limit, most: int | None) -> None:
    """Let a tenant have so much, or as much as there is; what it has already stays."""
    setattr(tenant, f"limit_{limit}", most)
    if limit is not Limit.RUNNING_TRIGGERS or most is None:
        return
    await session.flush()
    # What executes now counts, too, and its end lets others go.
    await session.execute(
        update(TriggerRow)
        .where(col(TriggerRow.tenant_id) == tenant.id, col(TriggerRow.state) == TriggerState.EXECUTING)
        .values(is_guarded=True)
        .execution_options(synchronize_session=False)
    )
