"""The activities at both ends of a trigger: its plan, and its settlement."""

from functools import partial

from pydantic import JsonValue
from temporalio import activity

from activities.resolving import read_variables
from activities.runtime import Runtime
from activities.scope import sight_of
from activities.stages.kind import StageError
from activities.work import CANCELLED, error_of
from cronny.store.blobs import Larges
from cronny.store.persist import persist
from cronny.store.records import StageEnd, TriggerEnd, note_error
from cronny.store.tables import StageState, TriggerState
from dsl.plan import Plan
from workflows.messages import Fire, Settled, Settlement

REASONS = {"completed": "", "failed": "stage_failed", "cancelled": "requested"}


class Finisher:
    """Implements the ports `load_plan`, `try_outputs` and `finish`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._parts = runtime.parts

    @activity.defn(name="load_plan")
    async def load_plan(self, fire: Fire) -> Plan:
        """Give the graph of the fire's action version."""
        return (await self._runtime.actions.get(fire.action_id, fire.version)).plan

    @activity.defn(name="try_outputs")
    async def try_outputs(self, settlement: Settlement) -> bool:
        """Whether the outputs of a trigger can be made; if not, the ledger says why."""
        _, _, error = await self._outputs(settlement.fire, is_kept=False)
        if error is not None:
            trigger, run = settlement.fire.trigger_id, settlement.run_id
            note = partial(note_error, trigger_id=trigger, run_id=run, error=error)
            await persist(self._parts.database, note)
        return error is None

    @activity.defn(name="finish")
    async def finish(self, settlement: Settlement) -> Settled | None:
        """Settle the trigger in the ledger; running it again changes nothing."""
        state, reason = TriggerState(settlement.status), REASONS[settlement.status]
        outputs: JsonValue = None
        large: Larges = {}
        error: JsonValue = None
        if settlement.status == "failed" and not settlement.failed:
            reason = "outputs_failed"
        if settlement.status == "failed" or settlement.failed or settlement.not_undone:
            error = await self._error(settlement)
        elif settlement.status == "completed":
            outputs, large, error = await self._outputs(settlement.fire)
            if error is not None:
                state, reason = TriggerState.FAILED, "outputs_failed"
        if settlement.not_undone:
            reason = "undo_failed"
        await self._stop(settlement)
        end = TriggerEnd(
            trigger_id=settlement.fire.trigger_id, run_id=settlement.run_id, state=state, reason=reason,
            outputs=outputs, error=error, finished_at=self._parts.clock(), large=large,
            skipped=settlement.skipped,
        )  # fmt: skip
        ends = self._runtime.guarded_ends if settlement.fire.is_guarded else self._runtime.trigger_ends
        waiting = await ends.submit(end)
        return Settled(release=waiting) if waiting else None

    async def _outputs(self, fire: Fire, *, is_kept: bool = True) -> tuple[JsonValue, Larges, JsonValue]:
        """The trigger's outputs, those of them that are kept elsewhere, and why there are none."""
        loaded = await self._runtime.actions.get(fire.action_id, fire.version)
        if not loaded.action.outputs:
            return None, {}, None
        records = await self._runtime.records.submit(fire.trigger_id)
        if records is None:
            return None, {}, None  # purged meanwhile: nothing is left to settle
        trigger = records.trigger
        outside = await read_variables(self._parts, records.trigger, loaded.outside.vars)
        try:
            await self._runtime.blobs.fill(
                trigger.tenant_id, [row for name, row in records.stages.items() if name in loaded.given]
            )
            sight = sight_of(loaded, fire, records, outside=outside)
            outputs = await self._parts.evaluator.render(loaded.action.outputs, sight.at("outputs"))
            values = {"outputs": outputs} if is_kept else {}
            large = await self._runtime.blobs.keep(trigger.tenant_id, trigger.id, values)
            return None if large else outputs, large, None
        except StageError as mistake:
            return None, {}, {"code": mistake.code, "message": f"outputs: {mistake.message}"}

    async def _error(self, settlement: Settlement) -> JsonValue:
        records = await self._runtime.records.submit(settlement.fire.trigger_id)
        return error_of(settlement.status, settlement.failed, settlement.not_undone, records)

    async def _stop(self, settlement: Settlement) -> None:
        """Record the end of stages that were under way without an activity of their own."""
        for stage in settlement.stopped:
            await self._runtime.stage_ends.submit(StageEnd(
                trigger_id=settlement.fire.trigger_id, stage_id=stage, state=StageState.FAILED, attempt=1,
                finished_at=self._parts.clock(), input=None, output=None, error=dict(CANCELLED), fired=(),
                log="",
            ))  # fmt: skip
