"""Rows to begin a test with."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from cronny.names import new_id
from cronny.store.actions import Actions
from cronny.store.database import Database
from cronny.store.schedules import Schedules, Wish
from cronny.store.tables import ActionRow, ScheduleRow, StageRow, Tenant, TriggerRow, TriggerState
from cronny.store.tenants import Tenants

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Owner:
    """A tenant with an action and a schedule for it."""

    tenant: Tenant
    action: ActionRow
    schedule: ScheduleRow


async def add_owner(database: Database, slug: str = "acme") -> Owner:
    async with database.write() as session:
        tenant = await Tenants(session).add(slug, NOW)
        action, _ = await Actions(session, tenant).save("check", "version: 1", {}, NOW)
        schedule, _ = await Schedules(session, tenant).save(wish(action), NOW)
    return Owner(tenant, action, schedule)


def wish(action: ActionRow, name: str = "often", **changes: Any) -> Wish:
    values = {"source": "every minute", "inputs": {}, "is_paused": False, "is_embedded": False, **changes}
    return Wish(name=name, action=action, **values)


def fire(owner: Owner, due: datetime = NOW, **changes: Any) -> TriggerRow:
    """A ledger row of the owner's schedule."""
    row = TriggerRow(
        id=new_id("trg", due), tenant_id=owner.tenant.id, action_id=owner.action.id, action_version=1,
        schedule_id=owner.schedule.id, due=due, number=1, generation=owner.schedule.generation,
        workflow_id=f"trigger/{due}", inputs={}, allocated_at=NOW,
    )  # fmt: skip
    for name, value in changes.items():
        setattr(row, name, value)
    return row


def executing(owner: Owner, due: datetime = NOW, run_id: str = "run", **changes: Any) -> TriggerRow:
    """A ledger row that a run has claimed."""
    state = {"state": TriggerState.EXECUTING, "run_id": run_id, "started_at": due}
    return fire(owner, due, **{**state, **changes})


async def add(database: Database, *rows: TriggerRow | StageRow) -> None:
    async with database.write() as session:
        session.add_all(rows)


async def ledger(database: Database) -> list[TriggerRow]:
    """Every trigger, by due."""
    async with database.read() as session:
        query = select(TriggerRow).order_by(col(TriggerRow.due), col(TriggerRow.id))
        return list((await session.execute(query)).scalars())


async def stage_records(database: Database) -> list[StageRow]:
    """Every stage record, by trigger and stage."""
    async with database.read() as session:
        query = select(StageRow).order_by(col(StageRow.trigger_id), col(StageRow.stage_id))
        return list((await session.execute(query)).scalars())
