"""One execution of a stage, or of one of its items, and what was recorded for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import JsonValue

from activities.action_cache import LoadedAction
from activities.scope import Ended, Sight, ended_of, sight_of
from activities.stages.kind import StageError
from cronny.store.item_tables import AttemptRow, ItemRow
from cronny.store.records import TriggerRecords
from cronny.store.tables import StageRow
from dsl.action import UNDO, Stage
from dsl.graph import Edge
from dsl.scopes import HANDLER_NAMES, UNDO_NAMES, item_names
from workflows.messages import Outcome, StageCall

LOST: dict[str, JsonValue] = {"code": "internal", "message": "the stage could not be executed"}
CANCELLED: dict[str, JsonValue] = {"code": "cancelled", "message": "the trigger was cancelled"}


@dataclass(frozen=True)
class Work:
    """A call, loaded."""

    call: StageCall
    loaded: LoadedAction
    records: TriggerRecords
    item: ItemRow | None = None  #: The record of the item, if it is one that is called for.
    followed: AttemptRow | None = None  #: The failed attempt for whose sake a branch is executed.
    outside: Mapping[str, JsonValue] = field(default_factory=dict)  #: The tenant's variables in the action.
    lacks: StageError | None = None  #: If a large output that it needs is gone.

    @property
    def stage(self) -> Stage:
        """The stage that is called for."""
        return self.loaded.stages[self.call.stage_id]

    @property
    def record(self) -> StageRow | ItemRow | None:
        """Its own record."""
        return self.item if self.item is not None else self.records.stages.get(self.call.record_id)

    @property
    def attempt(self) -> int:
        """The number of the attempt."""
        return self.record.attempt if self.record is not None else 1

    @property
    def is_opening(self) -> bool:
        """Whether its items are yet to be found."""
        return self.stage.foreach is not None and self.item is None

    @property
    def undone(self) -> str:
        """The stage that it undoes, if it does."""
        name = self.call.stage_id.removesuffix(UNDO)
        return name if name != self.call.stage_id else ""

    @property
    def idempotency_key(self) -> str:
        """The same on every attempt, and of nothing else."""
        key = f"{self.call.fire.trigger_id}/{self.call.record_id}"
        return key if self.item is None else f"{key}/{self.item.item}"

    @cached_property
    def sight(self) -> Sight:
        """What its expressions see, except for `input`."""
        sight = sight_of(self.loaded, self.call.fire, self.records, self.call.suffix, self.outside)
        if self.undone:
            return self._undoing(sight)
        if self.call.outcome is not None:
            sight = self._behind_the_graph(sight, self.call.outcome)
        if self.item is not None:
            sight = sight.with_more(item_names(self.stage.item_as), self.item.value, self.item.item)
        return sight

    def source_of(self, edge: Edge) -> Ended:
        """How the source of a connector that led here ended, or failed before it was tried again."""
        if edge.on == "retry" and self.followed is not None:
            return Ended("failed", None, self.followed.error, self.followed.attempt)
        own = self.records.stages.get(edge.source + self.call.suffix)
        return ended_of(own if own is not None else self.records.stages[edge.source])

    def _undoing(self, sight: Sight) -> Sight:
        if self.item is not None and isinstance(self.item.value, dict):
            names = (*UNDO_NAMES, *item_names(self.stage.item_as))
            return sight.with_more(
                names, *[self.item.value.get(name) for name in ("output", "item", "index")]
            )
        record = self.records.stages.get(self.undone)
        return sight.with_more(UNDO_NAMES, record.output if record is not None else None)

    def _behind_the_graph(self, sight: Sight, outcome: Outcome) -> Sight:
        """The stages that were never executed have no record yet."""
        for stage in self.loaded.needs[self.call.stage_id] - self.records.stages.keys():
            sight = sight.with_stage(stage, Ended("skipped"))
        error = error_of(outcome.status, outcome.failed, outcome.not_undone, self.records)
        return sight.with_more(HANDLER_NAMES, error, outcome.status)


def error_of(
    status: str, failed: Iterable[str], not_undone: Iterable[str], records: TriggerRecords | None
) -> JsonValue:
    """What a trigger says of its end: the error of its first failed stage, and what was not undone."""
    stage = next(iter(failed), None)
    error: dict[str, JsonValue] = {}
    if stage is not None:
        record = records.stages.get(stage) if records is not None else None
        known = record.error if record is not None and isinstance(record.error, dict) else LOST
        error = {"stage": stage, **known}
    elif status == "cancelled":
        error = dict(CANCELLED)
    elif status == "failed" and records is not None and isinstance(records.trigger.error, dict):
        error = dict(records.trigger.error)  # its outputs could not be made
    left = list(not_undone)
    return {**error, **({"not_undone": [*left]} if left else {})} or None
