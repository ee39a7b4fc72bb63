"""Triggers that a stage asks for: rows of their own in the ledger, whose parent is recorded."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from temporalio import activity

from activities.runtime import Parts
from activities.stages.kind import StageError
from activities.stages.request import Call
from cronny.errors import NotFound
from cronny.firing import fire_of
from cronny.store.actions import Actions
from cronny.store.children import find_child, find_tenant
from cronny.store.database import Session
from cronny.store.persist import persist
from cronny.store.tables import TriggerRow, TriggerState
from cronny.store.triggers import Entry, Origin, Triggers
from cronny.store.wait_tables import WaitRow
from cronny.store.waits import withdraw_child
from cronny.temporal.schedules import cancel, start_trigger
from dsl.action import Action
from dsl.inputs import check_inputs

MOST_DEPTH = 10  # actions that trigger one another


@dataclass(frozen=True)
class Child:
    """A trigger that a stage asked for."""

    row: TriggerRow
    action: str
    tenant: str

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.row.state not in (TriggerState.SCHEDULED, TriggerState.EXECUTING)

    def told(self, outputs: JsonValue) -> JsonValue:
        """What its stage is told of it."""
        row = self.row
        return {"trigger": row.id, "state": row.state.value, "outputs": outputs, "error": row.error}


async def add_child(session: Session, parent: TriggerRow, call: Call, now: datetime) -> TriggerRow:
    """A trigger of an action's newest version that is due now; raises StageError."""
    if parent.depth + 1 > MOST_DEPTH:
        text = f"'{call.action}' would be the {MOST_DEPTH + 1}th action that one triggers inside another"
        raise StageError("validation", f"{text}; do they trigger each other in a circle?", retryable=False)
    tenant = await find_tenant(session, parent.tenant_id)
    actions = Actions(session, tenant)
    try:
        action = await actions.get(call.action)
    except NotFound as error:
        raise StageError("validation", str(error), retryable=False) from None
    model = Action.model_validate((await actions.version(action)).model)
    inputs, problems = check_inputs(model, call.inputs)
    if problems:
        text = "; ".join(f"{problem.where} {problem.what}" for problem in problems[:5])
        raise StageError("validation", f"'{call.action}': {text}", retryable=False)
    origin = Origin("action", parent_id=parent.id, depth=parent.depth + 1)
    entry: Entry = await Triggers(session, tenant).add_manual(action, None, dict(inputs), now, origin)
    return entry.trigger


async def load_child(session: Session, child_id: str) -> Child | None:
    """The trigger as it stands; None if it was purged."""
    found = await find_child(session, child_id)
    return Child(*found) if found is not None else None


async def cancel_child(parts: Parts, row: WaitRow) -> None:
    """End the trigger that a wait has started, if it has not ended; raises Unavailable."""
    if not row.child_id:
        return
    database = parts.database.for_tenant(row.tenant_id)
    child = await persist(database, lambda session: withdraw_child(session, row, parts.clock()))
    if child is not None:
        await cancel(activity.client(), child.workflow_id, child.run_id)


async def start_child(child: Child, now: datetime) -> None:
    """Start its workflow unless it has begun; raises Unavailable."""
    if child.row.state is TriggerState.SCHEDULED:
        await start_trigger(activity.client(), fire_of(child.row, child.tenant, child.action, None, now))
