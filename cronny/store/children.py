"""Triggers that stages of other triggers asked for."""

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.tables import ActionRow, Tenant, TriggerRow


async def find_tenant(session: AsyncSession, tenant_id: str) -> Tenant:
    """The tenant of a trigger."""
    return await session.get_one(Tenant, tenant_id)


async def find_child(session: AsyncSession, child_id: str) -> tuple[TriggerRow, str, str] | None:
    """A trigger with the name of its action and the slug of its tenant."""
    query: Select[TriggerRow, str, str] = (
        select(TriggerRow, col(ActionRow.name).label("action"), col(Tenant.slug))
        .join(ActionRow, col(ActionRow.id) == col(TriggerRow.action_id))
        .join(Tenant, col(Tenant.id) == col(TriggerRow.tenant_id))
        .where(col(TriggerRow.id) == child_id)
    )
    row = (await session.execute(query)).one_or_none()
    return (row.TriggerRow, row.action, row.slug) if row is not None else None
