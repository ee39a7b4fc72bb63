"""What the API shows of statistics."""

from datetime import datetime, timedelta

from pydantic import Field, JsonValue

from api.views.listing import View
from cronny.store.statistics import Spread, Statistics
from cronny.store.tables import TriggerState
from cronny.store.triggers import Entry

_MS = timedelta(milliseconds=1)


class SpreadView(View):
    """How long something took, in milliseconds."""

    p50_ms: float
    p99_ms: float
    max_ms: float


class FailureView(View):
    """A trigger that failed."""

    trigger: str
    due: datetime
    reason: str
    error: JsonValue


class StatisticsView(View):
    """How well a schedule's fires went."""

    schedule: str
    since: datetime = Field(alias="from", description="The first due that was looked at, or where to begin.")
    until: datetime = Field(alias="to")
    whole: bool = Field(description="False if only the latest 10 000 rows of the range were looked at.")
    fires: dict[TriggerState, int] = Field(description="How many nominal fires are in each state.")
    success_rate: float | None = Field(description="Completed of those completed or failed, from 0 to 1.")
    lateness: SpreadView | None = Field(description="From the planned instant to the start.")
    duration: SpreadView | None = Field(description="From the start to the end of the action.")
    last_failure: FailureView | None


def view_statistics(
    schedule: str, since: datetime, until: datetime, found: Statistics, failed: Entry | None
) -> StatisticsView:
    """The statistics of a range."""
    begin = since if found.is_whole else found.since or since
    return StatisticsView.model_validate({
        "schedule": schedule,
        "from": begin,
        "to": until,
        "whole": found.is_whole,
        "fires": {state: found.fires.get(state, 0) for state in TriggerState},
        "success_rate": found.success_rate,
        "lateness": _view(found.lateness),
        "duration": _view(found.duration),
        "last_failure": _view_failure(failed),
    })  # fmt: skip


def _view(spread: Spread | None) -> SpreadView | None:
    if spread is None:
        return None
    return SpreadView(p50_ms=spread.p50 / _MS, p99_ms=spread.p99 / _MS, max_ms=spread.longest / _MS)


def _view_failure(failed: Entry | None) -> FailureView | None:
    if failed is None:
        return None
    row = failed.trigger
    return FailureView(trigger=row.id, due=row.due, reason=row.reason, error=row.error)
