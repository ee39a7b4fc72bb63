"""What the API shows of fires that wait for an approval."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from api.views.listing import View
from cronny.store.tables import TriggerRow


class MissedRange(View):
    """Fires that were missed one after another."""

    first: datetime
    last: datetime
    count: int


class CatchupPlan(View):
    """What may be executed after all."""

    schedule: str
    total: int
    ranges: tuple[MissedRange, ...] = Field(description="By due.")


class CatchupDone(View):
    """What was decided."""

    schedule: str
    approved: int = Field(description="Fires that are executed now.")
    declined: int = Field(description="Fires that stay missed.")
    triggers: tuple[str, ...] = Field(description="The ids of the triggers that are executed.")


def view_plan(rows: Sequence[TriggerRow], schedule: str) -> CatchupPlan:
    """What waits, as ranges."""
    ranges = tuple(MissedRange(first=row.due, last=row.until or row.due, count=row.count) for row in rows)
    return CatchupPlan(schedule=schedule, total=sum(row.count for row in rows), ranges=ranges)
