"""The activities at both ends of a trigger: its plan, and its settlement."""

from pydantic import JsonValue
from temporalio import activity

from activities.runtime import Runtime
from activities.scope import sight_of
from activities.stages.kind import StageError
from cronny.store.records import TriggerEnd, TriggerRecords
from cronny.store.tables import TriggerState
from dsl.plan import Plan
from workflows.messages import Fire, Settlement


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
    async def finish(self, settlement: Settlement) -> None:
        """Settle the trigger in the ledger; running it again changes nothing."""
        state, reason = TriggerState(settlement.status), ""
        error: JsonValue = None
        outputs: JsonValue = None
        if settlement.status == "completed":
            outputs, error = await self._outputs(settlement.fire)
            state = TriggerState.COMPLETED if error is None else TriggerState.FAILED
        elif settlement.failed:
            error = await self._error(settlement)
        if error is not None:
            reason = "stage_failed" if settlement.failed else "outputs_failed"
        end = TriggerEnd(
            trigger_id=settlement.fire.trigger_id, run_id=settlement.run_id, state=state, reason=reason,
            outputs=outputs, error=error, finished_at=self._parts.clock(), skipped=settlement.skipped,
        )  # fmt: skip
        await self._runtime.trigger_ends.submit(end)

    async def _outputs(self, fire: Fire) -> tuple[JsonValue, JsonValue]:
        loaded = await self._runtime.actions.get(fire.action_id, fire.version)
        if not loaded.action.outputs:
            return None, None
        sight = sight_of(loaded, fire, await self._records(fire))
        try:
            return await self._parts.evaluator.render(loaded.action.outputs, sight.at("outputs")), None
        except StageError as mistake:
            return None, {"code": mistake.code, "message": f"outputs: {mistake.message}"}

    async def _error(self, settlement: Settlement) -> JsonValue:
        stage = settlement.failed[0]
        record = (await self._records(settlement.fire)).stages.get(stage)
        error = record.error if record is not None and isinstance(record.error, dict) else {}
        return {"stage": stage, **error}

    async def _records(self, fire: Fire) -> TriggerRecords:
        records = await self._runtime.records.submit(fire.trigger_id)
        if records is None:
            raise LookupError(f"the ledger has no trigger {fire.trigger_id}")
        return records
