"""What the expressions of a stage can see."""

from collections.abc import Mapping

from pydantic import JsonValue

from cronny.names import instant_text
from cronny.store.records import TriggerRecords
from cronny.store.tables import StageRow, TriggerRow
from workflows.messages import Fire

Variables = dict[str, JsonValue]


def trigger_scope(fire: Fire, records: TriggerRecords) -> Variables:
    """The variables that every expression of a trigger shares."""
    return {
        "inputs": records.trigger.inputs,
        "stages": {stage: _stage(row) for stage, row in records.stages.items() if row.finished_at is not None},
        "trigger": _trigger(fire, records.trigger),
    }


def connector_scope(variables: Variables, output: JsonValue, error: JsonValue, attempt: int) -> Variables:
    """The variables of a connector's expressions: the trigger's, and its source stage's result."""
    return {**variables, "output": output, "error": error, "attempt": attempt}


def with_stage(variables: Variables, stage_id: str, result: Mapping[str, JsonValue]) -> Variables:
    """The variables with the result of a stage that has just ended."""
    stages = variables["stages"]
    known = stages if isinstance(stages, dict) else {}
    return {**variables, "stages": {**known, stage_id: dict(result)}}


def _stage(row: StageRow) -> JsonValue:
    return {"status": str(row.state), "output": row.output, "error": row.error, "attempts": row.attempt}


def _trigger(fire: Fire, row: TriggerRow) -> JsonValue:
    return {
        "id": fire.trigger_id,
        "due": instant_text(row.due),
        "number": fire.number,
        "schedule": fire.schedule,
        "action": fire.action,
        "version": fire.version,
    }
