"""The trigger workflow: interprets the graph of one action version for one fire."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from dsl.plan import Plan, PlannedStage
    from workflows import ports
    from workflows.graph import Progress
    from workflows.local import RETRY, ask
    from workflows.messages import Execution, Fire, Settlement, StageCall, StageResult

HEARTBEAT = timedelta(seconds=10)  # a dead worker's stages are taken over after this long
ASK_AGAIN = timedelta(seconds=60)  # a queued trigger, in case nobody tells it that its turn has come
ASK_RARELY = timedelta(minutes=10)  # after an hour: a history has room for some thousand questions
HOUR = 60  # questions
# A wake that has passed is asked for again, but not at full speed: the database's clock may be behind.
LEAST_WAIT = timedelta(seconds=1)
OPENING = timedelta(minutes=1)  # for a root stage to write down what it waits for
SLACK = timedelta(seconds=30)  # above the hold and the stage's own timeout, which `run_stage` enforces


@workflow.defn(name="trigger")
class Trigger:
    """One fire and its execution."""

    def __init__(self) -> None:
        self._turns = _Turns()

    @workflow.run
    async def run(self, fire: Fire) -> None:
        """Execute the action; how it ended stands in the ledger."""
        plan = await ask(ports.load_plan, fire)
        if fire.hold_from is not None and fire.hold_from > workflow.now():
            await workflow.sleep(fire.hold_from - workflow.now())
        execution = _Execution(fire, plan, self._turns)
        try:
            settlement = await execution.run()
        except asyncio.CancelledError:
            await execution.stop()
            settlement = execution.settlement("cancelled")
        if settlement is not None:
            await _finish(settlement)

    @workflow.signal
    def released(self) -> None:
        """Tell the workflow that a trigger for which it waits has ended."""
        self._turns.given += 1


class _Turns:
    """How often a queued trigger was told that its turn has come."""

    def __init__(self) -> None:
        self.given = 0

    async def after(self, seen: int, asked: int) -> None:
        """Return when a turn beyond `seen` was given, or when it is time to ask whether one is due."""
        await self._within(seen, ASK_AGAIN if asked < HOUR else ASK_RARELY)

    async def until(self, seen: int, wake: datetime) -> None:
        """Return when a turn beyond `seen` was given, or at the wake."""
        await self._within(seen, max(wake - workflow.now(), LEAST_WAIT))

    async def _within(self, seen: int, patience: timedelta) -> None:
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self.given > seen, timeout=patience)


class _Execution:
    """The graph under way."""

    def __init__(self, fire: Fire, plan: Plan, turns: _Turns) -> None:
        self._fire = fire
        self._turns = turns
        self._run_id = workflow.info().run_id
        self._progress = Progress(plan)
        self._stages = {stage.id: stage for stage in plan.stages}
        self._running: dict[asyncio.Task[StageResult], str] = {}
        self._seen: dict[str, int] = {}  # the turns that were given when a stage that waits was looked after

    async def run(self) -> Settlement | None:
        """Follow the graph to its end; None when the ledger has settled this trigger already."""
        while self._hand_out():
            done, _ = await workflow.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            if not all(self._take_in(task) for task in done):
                await self.stop()
                return None
            if self._progress.unhandled:  # What comes of a wait cannot save the trigger any more.
                await asyncio.sleep(0)  # A task that is cancelled before it begins does not clean up.
                self._cancel_tasks(waiting_only=True)
        return self.settlement("failed" if self._progress.unhandled else "completed")

    async def stop(self) -> None:
        """Cancel what is under way and wait until each stage has cleaned up."""
        self._cancel_tasks()
        await asyncio.gather(*self._running, return_exceptions=True)

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
            self._begin(stage, self._execute(stage))
        return bool(self._running)

    def _begin(self, stage: PlannedStage, work: Coroutine[Any, Any, StageResult]) -> None:
        self._running[asyncio.create_task(work)] = stage.id

    def _cancel_tasks(self, *, waiting_only: bool = False) -> None:
        for task, stage_id in self._running.items():
            # One that cleans up already must not be cancelled in that.
            if not task.cancelling() and (self._stages[stage_id].is_waiting or not waiting_only):
                task.cancel()

    def _take_in(self, task: asyncio.Task[StageResult]) -> bool:
        stage = self._stages[self._running.pop(task)]
        try:
            result = task.result()
        except ActivityError:  # no attempt can succeed; `run_stage` answers what the stage itself may raise
            self._progress.lose(stage)
            return True
        if result.status == "waiting" and result.wake is not None:
            self._progress.foresee(result.early, result.fired)
            self._begin(stage, self._look_after(stage, self._call(stage, is_root=False), result.wake))
            return True
        if result.status != "unclaimed":
            self._progress.settle(stage, result.status, result.fired)
        return result.status != "unclaimed"

    async def _execute(self, stage: PlannedStage) -> StageResult:
        call = self._call(stage, is_root=stage.is_root)
        if not self._progress.is_wanted(stage):
            return await ask(ports.skip_stage, call, stage.id)
        if stage.is_pure and not stage.is_root:
            return await ask(ports.run_pure_stage, call, stage.id)
        if stage.is_waiting:
            return await self._look_after(stage, call)
        return await self._claimed(stage, call)

    def _call(self, stage: PlannedStage, *, is_root: bool) -> StageCall:
        return StageCall(
            fire=self._fire,
            stage_id=stage.id,
            run_id=self._run_id,
            incoming=self._progress.incoming(stage),
            is_root=is_root,
        )

    async def _look_after(
        self, stage: PlannedStage, call: StageCall, wake: datetime | None = None
    ) -> StageResult:
        """How a stage that waits stands, now or when there may be news; only its claim takes a slot."""
        try:
            if wake is not None:
                await self._turns.until(self._seen[stage.id], wake)
            self._seen[stage.id] = self._turns.given
            if call.is_root:
                return await self._claimed(stage, call)
            return await ask(ports.run_pure_stage, call, stage.id)
        except (asyncio.CancelledError, ActivityError) as error:
            if not is_cancelled_exception(error):
                raise
            return await ask(ports.abandon_stage, call, stage.id)

    async def _claimed(self, stage: PlannedStage, call: StageCall) -> StageResult:
        """The result of a stage that a worker holds and executes; a queued one asks until its turn comes."""
        for asked in count():
            seen = self._turns.given
            result = await self._run_stage(stage, call)
            if result.status != "queued":
                return result
            await asyncio.gather(*[_cancel(execution) for execution in result.cancel])
            await self._turns.after(seen, asked)
        raise AssertionError("unreachable")

    async def _run_stage(self, stage: PlannedStage, call: StageCall) -> StageResult:
        work = OPENING if stage.is_waiting else stage.timeout
        hold = max(self._fire.start_at - workflow.now(), timedelta()) if stage.is_root else timedelta()
        return await workflow.execute_activity(
            ports.run_stage,
            call,
            start_to_close_timeout=hold + work + SLACK,
            heartbeat_timeout=HEARTBEAT,
            retry_policy=RETRY,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=stage.id,
        )


async def _finish(settlement: Settlement) -> None:
    """Settle the trigger; a cancellation that arrives meanwhile comes too late."""
    finishing = asyncio.create_task(ask(ports.finish, settlement))
    with suppress(asyncio.CancelledError):
        await asyncio.shield(finishing)
    settled = await finishing
    if settled is not None:
        await asyncio.gather(*[_release(workflow_id) for workflow_id in settled.release])


async def _release(workflow_id: str) -> None:
    """Tell a queued trigger that its turn has come; one that is gone asks no more."""
    with suppress(FailureError):
        await workflow.get_external_workflow_handle_for(Trigger.run, workflow_id).signal(Trigger.released)


async def _cancel(execution: Execution) -> None:
    """Ask a trigger to end, for the sake of one that waits; it may have ended by itself."""
    with suppress(FailureError):
        await workflow.get_external_workflow_handle(execution.workflow_id, run_id=execution.run_id).cancel()
