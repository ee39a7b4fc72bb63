"""What the API shows of a ledger row."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import Field, JsonValue

from api.views.listing import View
from api.views.stage import LARGE, LargeValue, Records, StageView, large_values, view_stages
from cronny.store.tables import ActionVersion, TriggerState
from cronny.store.triggers import Entry


class TriggerView(View):
    """One fire and what became of it."""

    id: str
    action: str
    action_version: int
    schedule: str | None = Field(description="None if somebody ran the action without one.")
    number: int = Field(
        description="1 for the first fire of the schedule; 0 if asked for by hand or by a backfill."
    )
    due: datetime = Field(description="The nominal instant.")
    test: bool = Field(description="Whether it tests its action, without side effects.")
    parent: str | None = Field(description="The trigger whose stage asked for it.")
    webhook: str | None = Field(description="The name of the webhook that was called for it.")
    rerun_of: str | None = Field(description="The trigger of which it repeats a part.")
    backfill: str | None = Field(description="The backfill for whose sake it is executed.")
    planned: datetime = Field(
        description="When it is to start: the due plus jitter and spread, or where it was moved to."
    )
    until: datetime | None = Field(description="The last due of a row that stands for many left-out fires.")
    count: int = Field(description="How many nominal fires the row stands for.")
    state: TriggerState
    reason: str = Field(description="Why it is in this state, such as `paused` or `superseded`.")
    started: datetime | None
    finished: datetime | None
    lateness_ms: float | None = Field(description="How long after its planned instant it started.")
    workflow_id: str


class TriggerDetail(TriggerView):
    """One fire, its values and its stages."""

    inputs: JsonValue
    outputs: JsonValue
    error: JsonValue
    stages: tuple[StageView, ...] = Field(description="In the order they started.")
    reruns: tuple[str, ...] = Field(description="The triggers that repeat a part of it.")
    large: Mapping[str, LargeValue] = LARGE


def view_trigger(entry: Entry) -> TriggerView:
    """A ledger row as a list shows it."""
    row = entry.trigger
    lateness = row.started_at - row.planned if row.started_at else None
    return TriggerView(
        id=row.id,
        action=entry.action,
        action_version=row.action_version,
        schedule=entry.schedule,
        number=row.number,
        due=row.due,
        test=bool(row.is_test),
        parent=row.parent_id or None,
        webhook=row.webhook or None,
        rerun_of=row.rerun_of,
        backfill=row.backfill_id or None,
        planned=row.planned,
        until=row.until,
        count=row.count,
        state=row.state,
        reason=row.reason,
        started=row.started_at,
        finished=row.finished_at,
        lateness_ms=None if lateness is None else lateness / timedelta(milliseconds=1),
        workflow_id=row.workflow_id,
    )


def view_trigger_detail(
    entry: Entry, records: Records, version: ActionVersion, reruns: Sequence[str]
) -> TriggerDetail:
    """A ledger row as it is shown alone."""
    return TriggerDetail(
        **view_trigger(entry).model_dump(),
        inputs=entry.trigger.inputs,
        outputs=entry.trigger.outputs,
        error=entry.trigger.error,
        stages=view_stages(records, version),
        reruns=tuple(reruns),
        large=large_values(entry.trigger.large, {"outputs": f"/v1/triggers/{entry.trigger.id}/outputs"}),
    )
