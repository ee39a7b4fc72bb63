"""What the expressions of a stage can see: values by the names that the language gives them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import JsonValue

from activities.action_cache import LoadedAction
from activities.stages.kind import StageError
from cronny.names import instant_text
from cronny.store.records import TriggerRecords
from cronny.store.tables import StageRow, StageState
from dsl.scopes import STAGE_FIELDS, Names, Scope, Situation, with_more
from workflows.messages import Fire, StageStatus

Variables = Mapping[str, JsonValue]

_STATUSES: Mapping[StageState, StageStatus] = {
    StageState.COMPLETED: "completed",
    StageState.FAILED: "failed",
    StageState.SKIPPED: "skipped",
}


@dataclass(frozen=True)
class View:
    """The names that may be used at one place of an action, and their values."""

    scope: Scope
    variables: Variables


@dataclass(frozen=True)
class Ended:
    """How a stage ended."""

    status: StageStatus
    output: JsonValue = None
    error: JsonValue = None
    attempts: int = 0


@dataclass(frozen=True)
class Sight:
    """The values of a trigger as one of its stages sees them; what a place adds is given to `at`."""

    loaded: LoadedAction
    variables: Variables
    more: Names = ()  #: What a stage of its own sort sees besides.

    def at(self, situation: Situation, **more: JsonValue) -> View:
        """What expressions in a situation see."""
        scope = self.loaded.scopes[situation]
        return View(with_more(scope, self.more) if self.more else scope, {**self.variables, **more})

    def with_input(self, value: JsonValue) -> "Sight":
        """The same, with what the connectors brought as `input`."""
        return replace(self, variables={**self.variables, "input": value})

    def with_stage(self, stage_id: str, ended: Ended) -> "Sight":
        """The same, with the result of a stage that has just ended."""
        return replace(self, variables={**self.variables, **_stage(stage_id, ended)})

    def with_more(self, names: Names, *values: JsonValue) -> "Sight":
        """The same, with names that only a stage of its sort sees."""
        given = {name: value for (name, _), value in zip(names, values, strict=True)}
        return Sight(self.loaded, {**self.variables, **given}, (*self.more, *names))


def sight_of(
    loaded: LoadedAction,
    fire: Fire,
    records: TriggerRecords,
    branch: str = "",
    outside: Variables | None = None,
) -> Sight:
    """What every stage of a trigger sees: its inputs, the tenant's variables, itself and the ended stages.

    In a branch that is followed more than once, it sees that execution of the stages there.
    """
    inputs = records.trigger.inputs if isinstance(records.trigger.inputs, dict) else {}
    variables: dict[str, JsonValue] = {f"inputs.{name}": value for name, value in inputs.items()}
    variables |= outside or {}
    variables |= {
        "trigger.id": fire.trigger_id,
        "trigger.due": instant_text(fire.due),
        "trigger.number": fire.number,
        "trigger.action": fire.action,
        "trigger.schedule": fire.schedule,
    }
    for stage_id, row in records.stages.items():
        if row.finished_at is not None:
            variables |= _stage(stage_id.removesuffix(branch), ended_of(row))
    return Sight(loaded, variables)


def ended_of(row: StageRow) -> Ended:
    """How a recorded stage ended."""
    return Ended(_STATUSES[row.state], row.output, row.error, row.attempt)


def failed_with(error: StageError, attempts: int = 1) -> Ended:
    """A stage that ended with an error in which nothing is secret."""
    return Ended("failed", None, {"code": error.code, "message": error.message}, attempts)


def _stage(stage_id: str, ended: Ended) -> dict[str, JsonValue]:
    return {f"stages.{stage_id}.{name}": getattr(ended, name) for name in STAGE_FIELDS}
