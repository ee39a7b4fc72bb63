"""The ledger rows that a handout stands for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from cronny.names import new_id, trigger_workflow
from cronny.scheduling.allocation import Handout
from cronny.scheduling.catchup import Missed
from cronny.store.tables import ActionRow, ScheduleRow, Tenant, TriggerRow, TriggerState
from cronny.store.terms import FREE, Terms


@dataclass(frozen=True)
class Allocatable:
    """A schedule, locked, with what its fires are made of."""

    schedule: ScheduleRow
    action: ActionRow
    tenant: Tenant


def ledger_rows(
    target: Allocatable, handout: Handout, inputs: JsonValue, now: datetime, terms: Terms = FREE
) -> list[TriggerRow]:
    """A row for each fire, one for each range that was left out, by due and without a number yet."""
    rows = sorted(_rows(target, handout, now, terms), key=lambda row: row.due)
    for row in rows:
        row.inputs = inputs
    return rows


def _rows(target: Allocatable, handout: Handout, now: datetime, terms: Terms) -> Iterator[TriggerRow]:
    for due in handout.run:
        yield on_terms(row_of(target, due, now, state=TriggerState.SCHEDULED), terms)
    for missed in handout.skipped:
        yield _left_out(target, missed, now, TriggerState.SKIPPED, "paused")
    for missed in handout.missed:
        yield _left_out(target, missed, now, TriggerState.MISSED, terms.missed_reason)


def on_terms(row: TriggerRow, terms: Terms) -> TriggerRow:
    """A row that is to be executed, as its schedule asks."""
    row.planned = terms.planned(row.due)
    row.is_guarded, row.overlap, row.complete_on = terms.is_guarded, terms.overlap, terms.complete_on
    row.start_by = None if terms.deadline is None else row.planned + terms.deadline
    return row


def _left_out(
    target: Allocatable, missed: Missed, now: datetime, state: TriggerState, reason: str
) -> TriggerRow:
    row = row_of(target, missed.first, now, state=state)
    row.reason, row.count, row.finished_at = reason, missed.count, now
    row.until = missed.last if missed.count > 1 else None
    return row


def row_of(target: Allocatable, due: datetime, now: datetime, state: TriggerState) -> TriggerRow:
    """A ledger row of the schedule, without inputs and a number yet."""
    schedule = target.schedule
    return TriggerRow(
        id=new_id("trg", now),
        tenant_id=target.tenant.id,
        action_id=target.action.id,
        action_version=target.action.version,
        priority=target.action.priority,
        schedule_id=schedule.id,
        due=due,
        planned=due,
        state=state,
        generation=schedule.generation,
        workflow_id=trigger_workflow(target.tenant.slug, schedule.name, due),
        inputs={},
        allocated_at=now,
    )
