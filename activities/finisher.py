"""The activities at both ends of a trigger: its plan, and its settlement."""

from pydantic import JsonValue
from temporalio import activity

from activities.resolving import read_variables
from activities.runtime import Runtime
from activities.scope import sight_of
from activities.stages.kind import StageError
from cronny.store.records import TriggerEnd
from cronny.store.tables import TriggerState
from dsl.plan import Plan
from workflows.messages import Fire, Settled, Settlement

REASONS = {"completed": "", "failed": "stage_failed", "cancelled": "requested"}
LOST: dict[str, JsonValue] = {"code": "internal", "message": "the stage could not be executed"}


class Finisher:
    """Implements the ports `load_plan` and `finish`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._parts = runtime.parts

    @activity.defn(name="load_plan")
    async def load_plan(self, fire: Fire) -> Plan:
        """Give the graph of the fire's action version."""
        return (await self._runtime.actions.get(fire.action_id, fire.version)).plan

    @activity.defn(name="finish")
    async def finish(self, settlement: Settlement) -> Settled | None:
        """Settle the trigger in the ledger; running it again changes nothing."""
        state, reason = TriggerState(settlement.status), REASONS[settlement.status]
        outputs: JsonValue = None
        error: JsonValue = None
        if settlement.failed:
            error = await self._error(settlement)
        elif settlement.status == "completed":
            outputs, error = await self._outputs(settlement.fire)
            if error is not None:
                state, reason = TriggerState.FAILED, "outputs_failed"
        end = TriggerEnd(
            trigger_id=settlement.fire.trigger_id, run_id=settlement.run_id, state=state, reason=reason,
            outputs=outputs, error=error, finished_at=self._parts.clock(), skipped=settlement.skipped,
        )  # fmt: skip
        if not settlement.fire.is_guarded:
            await self._runtime.trigger_ends.submit(end)
            return None
        waiting = await self._runtime.guarded_ends.submit(end)
        return Settled(release=(waiting,)) if waiting else None

    async def _outputs(self, fire: Fire) -> tuple[JsonValue, JsonValue]:
        loaded = await self._runtime.actions.get(fire.action_id, fire.version)
        if not loaded.action.outputs:
            return None, None
        records = await self._runtime.records.submit(fire.trigger_id)
        if records is None:
            return None, None  # purged meanwhile: nothing is left to settle
        outside = await read_variables(self._parts, records.trigger.tenant_id, loaded.outside.vars)
        sight = sight_of(loaded, fire, records, outside)
        try:
            return await self._parts.evaluator.render(loaded.action.outputs, sight.at("outputs")), None
        except StageError as mistake:
            return None, {"code": mistake.code, "message": f"outputs: {mistake.message}"}

    async def _error(self, settlement: Settlement) -> JsonValue:
        stage = settlement.failed[0]
        records = await self._runtime.records.submit(settlement.fire.trigger_id)
        record = records.stages.get(stage) if records is not None else None
        error = record.error if record is not None and isinstance(record.error, dict) else LOST
        return {"stage": stage, **error}
