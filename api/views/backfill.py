"""What the API shows of a backfill."""

from datetime import datetime

from pydantic import Field, JsonValue

from api.views.listing import View
from cronny.store.backfills import WAITING, Backfill, BackfillState
from cronny.store.tables import TriggerState


class BackfillPlan(View):
    """What a backfill would execute."""

    total: int = Field(description="How many fires there are in the range.")
    first: datetime | None
    last: datetime | None
    minutes: float = Field(description="How long starting them takes at the rate.")


class BackfillView(View):
    """A backfill and how far it has come."""

    id: str
    schedule: str
    state: BackfillState = Field(description="`running`, `completed` or `cancelled`.")
    since: datetime = Field(description="The first instant of the range.")
    until: datetime = Field(description="The last instant of the range.")
    rate: int = Field(description="Triggers that are started in a minute at the most.")
    overlap: str
    inputs: JsonValue
    total: int
    executing: int
    done: int = Field(description="Fires that have ended, however they did; those left out among them.")
    failed: int
    actor: str = Field(description="The name of the API key that asked for it.")
    note: str
    created: datetime
    cancelled: datetime | None


def view_backfill(found: Backfill, schedule: str) -> BackfillView:
    """A backfill as it stands."""
    row, counts = found.row, found.counts
    return BackfillView(
        id=row.id,
        schedule=schedule,
        state=found.state,
        since=row.since,
        until=row.until,
        rate=row.rate,
        overlap=row.overlap,
        inputs=row.inputs,
        total=row.total,
        executing=counts.get(TriggerState.EXECUTING, 0),
        done=sum(count for state, count in counts.items() if state not in WAITING),
        failed=counts.get(TriggerState.FAILED, 0),
        actor=row.actor,
        note=row.note,
        created=row.created_at,
        cancelled=row.cancelled_at,
    )
