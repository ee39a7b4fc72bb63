"""From a ledger row to what its workflow is told."""

from datetime import datetime, timedelta

from cronny.scheduling.allocation import LEAD
from cronny.store.tables import TriggerRow
from workflows.messages import Fire

# Allocated earlier than this, a trigger sleeps before it holds: with thousands that are due with it, as a
# sleep costs the server a timer and a workflow task for each of them, in the minutes before the due.
LONGEST_HOLD = timedelta(minutes=20)
SPREAD = 2  # a sleep ends so many times nearer to the due than it began: as many again as are allocated then


def fire_of(row: TriggerRow, tenant: str, action: str, schedule: str | None, now: datetime) -> Fire:
    """What the trigger workflow is told."""
    hold_from = _hold_from(row.planned, now)
    return Fire(
        tenant=tenant,
        trigger_id=row.id,
        action_id=row.action_id,
        action=action,
        version=row.action_version,
        schedule=schedule or "",
        number=row.number,
        generation=row.generation,
        due=row.due,
        planned=row.planned if row.planned != row.due else None,
        hold_from=hold_from,
        allocated=now if hold_from is None else None,
        workflow_id=row.workflow_id,
        is_guarded=row.is_guarded,
        priority=row.priority,
    )


def _hold_from(start: datetime, now: datetime) -> datetime | None:
    # The earlier a trigger was allocated, the more of its kind there are: their sleeps end spread out, too.
    ahead = start - now
    return start - LEAD - (ahead - LONGEST_HOLD) / SPREAD if ahead > LONGEST_HOLD else None
