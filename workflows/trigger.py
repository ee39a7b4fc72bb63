"""The trigger workflow: interprets the graph of one action version for one fire."""

import asyncio
from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from dsl.plan import Plan
    from workflows import ports
    from workflows.aftermath import follow_up
    from workflows.local import ask
    from workflows.messages import Fire, Outcome, Settled
    from workflows.turns import Turns
    from workflows.walk import Place, Walk


@workflow.defn(name="trigger")
class Trigger:
    """One fire and its execution."""

    def __init__(self) -> None:
        self._turns = Turns()

    @workflow.run
    async def run(self, fire: Fire) -> None:
        """Execute the action; how it ended stands in the ledger."""
        plan = await ask(ports.load_plan, fire)
        if fire.hold_from is not None and fire.hold_from > workflow.now():
            await workflow.sleep(fire.hold_from - workflow.now())
        place = Place(fire, workflow.info().run_id, self._turns)
        walk = Walk(place, plan, {side.source: side for side in plan.sides})
        try:
            if not await walk.run():
                return
            status = "failed" if walk.progress.unhandled else "completed"
        except asyncio.CancelledError:
            await walk.stop()
            status = "cancelled"
        outcome = Outcome.model_validate({"status": status, "failed": tuple(walk.progress.unhandled)})
        await _settle(place, plan, walk, outcome)

    @workflow.signal
    def released(self) -> None:
        """Tell the workflow that a trigger for which it waits has ended."""
        self._turns.given += 1


async def _settle(place: Place, plan: Plan, walk: Walk, outcome: Outcome) -> None:
    """Execute what follows and settle the trigger; a cancellation that arrives meanwhile comes too late."""
    finishing = asyncio.create_task(_finish(place, plan, walk, outcome))
    with suppress(asyncio.CancelledError):
        await asyncio.shield(finishing)
    settled = await finishing
    if settled is not None:
        await asyncio.gather(*[_release(workflow_id) for workflow_id in settled.release])


async def _finish(place: Place, plan: Plan, walk: Walk, outcome: Outcome) -> Settled | None:
    return await ask(ports.finish, await follow_up(place, plan, walk, outcome))


async def _release(workflow_id: str) -> None:
    """Tell a queued trigger that its turn has come; one that is gone asks no more."""
    with suppress(FailureError):
        await workflow.get_external_workflow_handle_for(Trigger.run, workflow_id).signal(Trigger.released)
