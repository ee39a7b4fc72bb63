"""The trigger workflow: interprets the graph of one action version for one fire."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from dsl.plan import Plan, PlannedStage
    from workflows import ports
    from workflows.graph import Progress
    from workflows.messages import Fire, Settlement, StageCall, StageResult

LOCAL = timedelta(seconds=30)  # for one try of a local activity: a few statements
HEARTBEAT = timedelta(seconds=10)  # a dead worker's stages are taken over after this long
SLACK = timedelta(seconds=30)  # above the hold and the stage's own timeout, which `run_stage` enforces
HOLD = timedelta(seconds=90)  # no hold is longer; the workflow sleeps before it

# Tries of the machine, not of the tenant: those are counted in the stage record.
RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10))


@workflow.defn(name="trigger")
class Trigger:
    """One fire and its execution."""

    @workflow.run
    async def run(self, fire: Fire) -> None:
        """Execute the action; how it ended stands in the ledger."""
        plan = await workflow.execute_local_activity(
            ports.load_plan, fire, start_to_close_timeout=LOCAL, retry_policy=RETRY
        )
        if fire.hold_from is not None and fire.hold_from > workflow.now():
            await workflow.sleep(fire.hold_from - workflow.now())
        execution = _Execution(fire, plan)
        try:
            settlement = await execution.run()
        except asyncio.CancelledError:
            await execution.stop()
            settlement = execution.settlement("cancelled")
        if settlement is not None:
            await asyncio.shield(_finish(settlement))


class _Execution:
    """The graph under way."""

    def __init__(self, fire: Fire, plan: Plan) -> None:
        self._fire = fire
        self._run_id = workflow.info().run_id
        self._progress = Progress(plan)
        self._stages = {stage.id: stage for stage in plan.stages}
        self._running: dict[asyncio.Task[StageResult], str] = {}

    async def run(self) -> Settlement | None:
        """Follow the graph to its end; None when the ledger has settled this trigger already."""
        while self._hand_out():
            done, _ = await workflow.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            if not all([await self._take_in(task) for task in done]):
                return None
        return self.settlement("failed" if self._progress.unhandled else "completed")

    async def stop(self) -> None:
        """Cancel what is under way and wait until each stage has cleaned up."""
        for task in self._running:
            task.cancel()
        if self._running:
            await workflow.wait(self._running)

    def settlement(self, status: str) -> Settlement:
        """How the trigger ended."""
        return Settlement.model_validate(
            {
                "fire": self._fire,
                "run_id": self._run_id,
                "status": status,
                "failed": self._progress.unhandled,
                "skipped": self._progress.untouched(),
            }
        )

    def _hand_out(self) -> bool:
        for stage in self._progress.ready():
            self._progress.start(stage)
            task = asyncio.create_task(self._execute(stage))
            self._running[task] = stage.id
        return bool(self._running)

    async def _take_in(self, task: asyncio.Task[StageResult]) -> bool:
        stage = self._stages[self._running.pop(task)]
        result = await task
        if result.status != "unclaimed":
            self._progress.settle(stage, result.status, result.fired)
        return result.status != "unclaimed"

    async def _execute(self, stage: PlannedStage) -> StageResult:
        call = StageCall(
            fire=self._fire,
            stage_id=stage.id,
            run_id=self._run_id,
            incoming=self._progress.incoming(stage),
            is_root=stage.is_root,
        )
        if not self._progress.is_wanted(stage):
            return await workflow.execute_local_activity(
                ports.skip_stage, call, start_to_close_timeout=LOCAL, retry_policy=RETRY, summary=stage.id
            )
        if stage.is_pure and not stage.is_root:
            return await workflow.execute_local_activity(
                ports.run_pure_stage, call, start_to_close_timeout=LOCAL, retry_policy=RETRY, summary=stage.id
            )
        hold = max(self._fire.due - workflow.now(), timedelta()) if stage.is_root else timedelta()
        return await workflow.execute_activity(
            ports.run_stage,
            call,
            start_to_close_timeout=hold + stage.timeout + SLACK,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RETRY,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=stage.id,
        )


async def _finish(settlement: Settlement) -> None:
    await workflow.execute_local_activity(
        ports.finish, settlement, start_to_close_timeout=LOCAL, retry_policy=RETRY
    )
