"""The ledger rows that a handout stands for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from cronny.names import new_id, trigger_workflow
from cronny.scheduling.allocation import Handout
from cronny.scheduling.catchup import Missed
from cronny.store.tables import ActionRow, ScheduleRow, Tenant, TriggerRow, TriggerState


@dataclass(frozen=True)
class Allocatable:
    """A schedule, locked, with what its fires are made of."""

    schedule: ScheduleRow
    action: ActionRow
    tenant: Tenant


def ledger_rows(target: Allocatable, handout: Handout, inputs: JsonValue, now: datetime) -> list[TriggerRow]:
    """A row for each fire, one for each range that was left out, by due and without a number yet."""
    rows = sorted(_rows(target, handout, now), key=lambda row: row.due)
    for row in rows:
        row.inputs = inputs
    return rows


def _rows(target: Allocatable, handout: Handout, now: datetime) -> Iterator[TriggerRow]:
    for due in handout.run:
        yield _row(target, due, now, state=TriggerState.SCHEDULED)
    for missed in handout.skipped:
        yield _left_out(target, missed, now, TriggerState.SKIPPED, "paused")
    for missed in handout.missed:
        yield _left_out(target, missed, now, TriggerState.MISSED, "catchup")


def _left_out(
    target: Allocatable, missed: Missed, now: datetime, state: TriggerState, reason: str
) -> TriggerRow:
    row = _row(target, missed.first, now, state=state)
    row.reason, row.count, row.finished_at = reason, missed.count, now
    row.until = missed.last if missed.count > 1 else None
    return row


def _row(target: Allocatable, due: datetime, now: datetime, state: TriggerState) -> TriggerRow:
    schedule = target.schedule
    return TriggerRow(
        id=new_id("trg", now),
        tenant_id=target.tenant.id,
        action_id=target.action.id,
        action_version=target.action.version,
        schedule_id=schedule.id,
        due=due,
        planned=due,
        state=state,
        generation=schedule.generation,
        workflow_id=trigger_workflow(target.tenant.slug, schedule.name, due),
        inputs={},
        allocated_at=now,
    )
