"""What the API shows of the records of a trigger's stages, of their items and of failed attempts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field, JsonValue

from api.stored import read_stored
from api.views.listing import View
from cronny.errors import Conflict
from cronny.store.blobs import larges_of
from cronny.store.item_tables import AttemptRow, ItemRow, ItemState
from cronny.store.items import Counts
from cronny.store.tables import ActionVersion, StageRow, StageState
from dsl.graph import Edge, every_edge_of

HIDDEN = "(sensitive)"


class FiredConnector(View):
    """A connector that fired out of a stage."""

    to: str
    on: str
    label: str = ""


class FailedAttempt(View):
    """An attempt that failed and was tried again."""

    attempt: int
    failed: datetime
    error: JsonValue
    log: str


class ItemCounts(View):
    """How far a stage with `foreach` has come."""

    total: int
    waiting: int
    started: int
    completed: int
    failed: int
    skipped: int


class LargeValue(View):
    """A value that is too large to stand here."""

    size: int = Field(description="Bytes of its JSON.")
    url: str = Field(description="Where to get it, below the API's address.")


LARGE: Any = Field(
    {}, description="By name those of its values that are null here because they are too large."
)


class StageView(View):
    """The record of one stage."""

    id: str = Field(
        description="The stage's id; what undoes it is `<id>.undo`, and what was executed for a failed "
        "attempt of another stage is `<id>.<other>.<attempt>`."
    )
    state: StageState
    attempt: int
    started: datetime
    finished: datetime | None
    input: JsonValue = Field(description="Its `with` as it was resolved, secrets masked.")
    output: JsonValue
    error: JsonValue
    log: str
    fired: tuple[FiredConnector, ...] = Field(description="The connectors that fired out of it.")
    failed_attempts: tuple[FailedAttempt, ...] = Field((), description="Those that were tried again.")
    items: ItemCounts | None = Field(None, description="Of a stage with `foreach`.")
    taken_over: bool = Field(False, description="By a re-run, from the trigger that it repeats.")
    large: Mapping[str, LargeValue] = LARGE


class ItemView(View):
    """The record of one item of a stage."""

    item: int = Field(description="Its number, from 0.")
    state: ItemState
    attempt: int
    started: datetime | None
    finished: datetime | None
    value: JsonValue = Field(description="The item itself.")
    input: JsonValue = Field(description="The stage's `with` as it was resolved, secrets masked.")
    output: JsonValue
    error: JsonValue
    log: str
    large: Mapping[str, LargeValue] = LARGE


@dataclass(frozen=True)
class Records:
    """What was recorded of a trigger's stages."""

    stages: Sequence[StageRow]
    items: Mapping[str, Counts]
    attempts: Mapping[str, Sequence[AttemptRow]]


@dataclass(frozen=True)
class _Graph:
    """The edges by index, and the stages whose values are not shown; None if nobody can tell which."""

    edges: Mapping[int, Edge]
    sensitive: frozenset[str] | None

    def hides(self, record_id: str) -> bool:
        return self.sensitive is None or record_id.partition(".")[0] in self.sensitive


def view_stages(records: Records, version: ActionVersion) -> tuple[StageView, ...]:
    """The stages of a trigger in the order they started."""
    graph = _graph_of(version)
    return tuple(_view_stage(row, records, graph) for row in records.stages)


def is_sensitive(version: ActionVersion, stage: str) -> bool:
    """Whether the values of a stage are not shown."""
    return _graph_of(version).hides(stage)


def hiding(version: ActionVersion) -> Callable[[str], bool]:
    """Whether the values of a record, known by its id, are not shown."""
    return _graph_of(version).hides


def view_item(row: ItemRow, trigger_id: str, is_hidden: bool) -> ItemView:
    """An item of a stage."""
    return ItemView(
        item=row.item,
        state=row.state,
        attempt=row.attempt,
        started=row.started_at,
        finished=row.finished_at,
        value=_shown(row.value, is_hidden),
        input=_shown(row.input, is_hidden),
        output=_shown(row.output, is_hidden),
        error=shown_error(row.error, is_hidden),
        log=_shown_log(row.log, is_hidden),
        large=_larges(row.large, f"{trigger_id}/stages/{row.stage_id}/items/{row.item}", is_hidden),
    )


def large_values(found: JsonValue, urls: Mapping[str, str]) -> dict[str, LargeValue]:
    """Those values that are kept elsewhere, and where each can be had."""
    return {
        name: LargeValue(size=one.size, url=urls[name])
        for name, one in larges_of(found).items()
        if name in urls
    }


def _larges(found: JsonValue, place: str, is_hidden: bool) -> dict[str, LargeValue]:
    urls = {name: f"/v1/triggers/{place}/values/{name}" for name in ("input", "output")}
    return {} if is_hidden else large_values(found, urls)


def _graph_of(version: ActionVersion) -> _Graph:
    try:
        action = read_stored(version)
    except Conflict:  # Which stages are sensitive cannot be read any more, so that all of them are.
        return _Graph({}, None)
    edges = {edge.index: edge for edge in every_edge_of(action)}
    return _Graph(edges, frozenset(stage.id for stage in action.all_stages.values() if stage.sensitive))


def _view_stage(row: StageRow, records: Records, graph: _Graph) -> StageView:
    fired = row.fired if isinstance(row.fired, list) else []
    known = [graph.edges[index] for index in fired if isinstance(index, int) and index in graph.edges]
    is_hidden = graph.hides(row.stage_id)
    counts = records.items.get(row.stage_id)
    attempts = records.attempts.get(row.stage_id, ())
    return StageView(
        id=row.stage_id,
        state=row.state,
        attempt=row.attempt,
        started=row.started_at,
        finished=row.finished_at,
        input=_shown(row.input, is_hidden),
        output=_shown(row.output, is_hidden),
        error=shown_error(row.error, is_hidden),
        log=_shown_log(row.log, is_hidden),
        fired=tuple(_view_edge(edge) for edge in known),
        failed_attempts=tuple(_view_attempt(attempt, is_hidden) for attempt in attempts),
        items=_view_counts(counts) if counts is not None else None,
        taken_over=bool(row.taken_over),
        large=_larges(row.large, f"{row.trigger_id}/stages/{row.stage_id}", is_hidden),
    )


def _view_edge(edge: Edge) -> FiredConnector:
    label = edge.connector.label if edge.connector is not None else ""
    return FiredConnector(to=edge.target, on=edge.on, label=label)


def _view_attempt(row: AttemptRow, is_hidden: bool) -> FailedAttempt:
    return FailedAttempt(
        attempt=row.attempt,
        failed=row.failed_at,
        error=shown_error(row.error, is_hidden),
        log=_shown_log(row.log, is_hidden),
    )


def _view_counts(counts: Counts) -> ItemCounts:
    return ItemCounts(
        total=sum(counts.values()), **{state.value: counts.get(state, 0) for state in ItemState}
    )


def _shown(value: JsonValue, is_hidden: bool) -> JsonValue:
    return HIDDEN if is_hidden and value is not None else value


def _shown_log(log: str, is_hidden: bool) -> str:
    return HIDDEN if is_hidden and log else log


def shown_error(error: JsonValue, is_hidden: bool) -> JsonValue:
    """An error, as far as it may be shown."""
    # The code says what to look for; message and details may quote what the stage sent and got.
    if not is_hidden or not isinstance(error, dict):
        return error
    return {"code": error.get("code"), "message": HIDDEN}
