"""Triggers that wait for others although their turn has come: whoever was to tell them is gone."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.store.open_rows import WAITING, Held
from cronny.store.releasing import releases
from cronny.store.tables import Tenant, TriggerRow, TriggerState

QUEUED = timedelta(seconds=60)  # after its start it should have got its place, or wait for good reason
BATCH = 500  # queues of one look
UNLIMITED = 10**9  # more than any machine executes at once


@dataclass(frozen=True)
class Unreleased:
    """The workflows to be told, and whether there may be further queues to look at."""

    workflows: tuple[str, ...]
    has_more: bool


async def unreleased(session: AsyncSession, now: datetime, skip: int = 0) -> Unreleased:
    """Whoever is first of a queue whose place is free; nothing is locked, and a claim decides anew."""
    rows = (await session.execute(_queues(now).offset(skip).limit(BATCH))).all()
    if not rows:
        return Unreleased((), has_more=False)
    tenants = {row.tenant_id for row in rows}
    held = Held(
        limits={row.tenant_id: _most(row.limit_running_triggers) for row in rows},
        actions=sorted({row.action_id for row in rows}),
        schedules=sorted({row.schedule_id for row in rows if row.schedule_id is not None}),
    )
    found = await releases(session, held, tenants)
    groups = [*found.of_group.values(), *found.of_tenant.values(), found.of_schedule.values()]
    workflows = dict.fromkeys(workflow for group in groups for workflow in group if workflow)
    return Unreleased(tuple(workflows), has_more=len(rows) == BATCH)


def _most(limit: int | None) -> int:
    """How many of a tenant may go; its limit may have been lifted while they waited."""
    return limit if limit is not None else UNLIMITED


def _queues(now: datetime) -> Select[str, str, str | None, int | None]:
    columns = (col(TriggerRow.tenant_id), col(TriggerRow.action_id), col(TriggerRow.schedule_id))
    return (
        select(*columns, col(Tenant.limit_running_triggers))
        .join(Tenant, col(Tenant.id) == col(TriggerRow.tenant_id))
        .where(
            col(TriggerRow.state) == TriggerState.SCHEDULED,
            col(TriggerRow.reason).in_(WAITING),
            col(TriggerRow.due) < now - QUEUED,  # for the index; a start is never planned before its due
            col(TriggerRow.planned) < now - QUEUED,
        )
        .distinct()
        .order_by(*columns)
    )
