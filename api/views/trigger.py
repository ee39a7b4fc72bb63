"""What the API shows of a ledger row and of its stages."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import Field, JsonValue

from api.stored import read_stored
from api.views.listing import View
from cronny.errors import Conflict
from cronny.store.tables import ActionVersion, StageRow, StageState, TriggerState
from cronny.store.triggers import Entry
from dsl.graph import Edge, edges_of

HIDDEN = "(sensitive)"


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
    parent: str | None = Field(description="The trigger whose stage asked for it.")
    webhook: str | None = Field(description="The name of the webhook that was called for it.")
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


class FiredConnector(View):
    """A connector that fired out of a stage."""

    to: str
    on: str
    label: str = ""


class StageView(View):
    """The record of one stage."""

    id: str
    state: StageState
    attempt: int
    started: datetime
    finished: datetime | None
    input: JsonValue = Field(description="Its `with` as it was resolved, secrets masked.")
    output: JsonValue
    error: JsonValue
    log: str
    fired: tuple[FiredConnector, ...] = Field(description="The connectors that fired out of it.")


class TriggerDetail(TriggerView):
    """One fire, its values and its stages."""

    inputs: JsonValue
    outputs: JsonValue
    error: JsonValue
    stages: tuple[StageView, ...] = Field(description="In the order they started.")


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
        parent=row.parent_id or None,
        webhook=row.webhook or None,
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


def view_trigger_detail(entry: Entry, stages: Sequence[StageRow], version: ActionVersion) -> TriggerDetail:
    """A ledger row as it is shown alone."""
    edges, sensitive = _graph_of(version, stages)
    return TriggerDetail(
        **view_trigger(entry).model_dump(),
        inputs=entry.trigger.inputs,
        outputs=entry.trigger.outputs,
        error=entry.trigger.error,
        stages=tuple(_view_stage(stage, edges, stage.stage_id in sensitive) for stage in stages),
    )


def _graph_of(version: ActionVersion, stages: Sequence[StageRow]) -> tuple[dict[int, Edge], set[str]]:
    """The edges by index, and the stages whose values are not shown."""
    try:
        action = read_stored(version)
    except Conflict:  # Which stages are sensitive cannot be read any more, so that all of them are.
        return {}, {stage.stage_id for stage in stages}
    edges = {edge.index: edge for edge in edges_of(action)}
    return edges, {stage.id for stage in action.stages if stage.sensitive}


def _view_stage(row: StageRow, edges: Mapping[int, Edge], is_sensitive: bool) -> StageView:
    fired = row.fired if isinstance(row.fired, list) else []
    known = [edges[index] for index in fired if isinstance(index, int) and index in edges]
    return StageView(
        id=row.stage_id,
        state=row.state,
        attempt=row.attempt,
        started=row.started_at,
        finished=row.finished_at,
        input=_shown(row.input, is_sensitive),
        output=_shown(row.output, is_sensitive),
        error=_shown_error(row.error, is_sensitive),
        log=HIDDEN if is_sensitive and row.log else row.log,
        fired=tuple(_view_edge(edge) for edge in known),
    )


def _view_edge(edge: Edge) -> FiredConnector:
    label = edge.connector.label if edge.connector is not None else ""
    return FiredConnector(to=edge.target, on=edge.on, label=label)


def _shown(value: JsonValue, is_sensitive: bool) -> JsonValue:
    return HIDDEN if is_sensitive and value is not None else value


def _shown_error(error: JsonValue, is_sensitive: bool) -> JsonValue:
    # The code says what to look for; message and details may quote what the stage sent and got.
    if not is_sensitive or not isinstance(error, dict):
        return error
    return {"code": error.get("code"), "message": HIDDEN}
