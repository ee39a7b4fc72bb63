"""A graph under way: that of the action, a branch beside it, or a list of stages behind it."""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ChildWorkflowError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from dsl.plan import Graph, PlannedStage, Side
    from workflows import ports
    from workflows.foreach import execute_items
    from workflows.graph import Progress
    from workflows.local import ask
    from workflows.messages import Branch, Execution, Fire, ItemsCall, Outcome, StageCall, StageResult
    from workflows.remote import execute, heed_cancellation
    from workflows.turns import Turns


@dataclass(frozen=True)
class Place:
    """Where stages are executed: of which trigger, in which branch, behind which outcome."""

    fire: Fire
    run_id: str
    turns: Turns
    branch: Branch | None = None
    outcome: Outcome | None = None


@dataclass
class Walk:
    """The stages of a graph, each executed when it is ready."""

    place: Place
    graph: Graph
    sides: Mapping[str, Side] = field(
        default_factory=dict
    )  #: By the stage whose failed attempts they follow.
    fired: Mapping[int, bool] = field(default_factory=dict)  #: The connectors that lead in from outside.

    def __post_init__(self) -> None:
        self.progress = Progress(self.graph, fired=dict(self.fired))
        self._stages = {stage.id: stage for stage in self.graph.stages}
        self._running: dict[asyncio.Task[StageResult], str] = {}
        self._open: dict[str, None] = {}
        self._beside: dict[asyncio.Task[bool], Walk] = {}
        self._calls: dict[str, StageCall] = {}
        self._seen: dict[str, int] = {}  # the turns that were given when a stage that waits was looked after

    async def run(self) -> bool:
        """Follow the graph to its end; False when the ledger has settled this trigger already."""
        while self._hand_out():
            done, _ = await workflow.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            if not all(self._take_in(task) for task in done):
                await self.stop()
                return False
            if self.progress.unhandled:  # What comes of a wait cannot save the trigger any more.
                await asyncio.sleep(0)  # A task that is cancelled before it begins does not clean up.
                self._cancel_tasks(waiting_only=True)
        if self._beside:
            await workflow.wait(self._beside)
        return True

    async def stop(self) -> None:
        """Cancel what is under way and wait until each stage has cleaned up."""
        self._cancel_tasks()
        await asyncio.gather(*self._running, return_exceptions=True)
        for side in self._beside.values():
            await side.stop()

    @property
    def left_open(self) -> tuple[str, ...]:
        """The records that no activity was writing when the walk was stopped."""
        beside = (name for side in self._beside.values() for name in side.left_open)
        return (*self._open, *beside)

    def _hand_out(self) -> bool:
        for stage in self.progress.ready():
            self.progress.start(stage)
            self._begin(stage, self._execute(stage))
        return bool(self._running)

    def _begin(self, stage: PlannedStage, work: Coroutine[Any, Any, StageResult]) -> None:
        self._running[asyncio.create_task(work)] = stage.id

    def _cancel_tasks(self, *, waiting_only: bool = False) -> None:
        for task, stage_id in self._running.items():
            # One that cleans up already must not be cancelled in that.
            if not task.cancelling() and (self._stages[stage_id].is_waiting or not waiting_only):
                task.cancel()

    def _take_in(self, task: "asyncio.Task[StageResult]") -> bool:
        stage = self._stages[self._running.pop(task)]
        try:
            result = task.result()
        except asyncio.CancelledError:  # It waited in vain.
            self.progress.settle(stage, "cancelled", ())
            return True
        except (ActivityError, ChildWorkflowError):
            # No attempt can succeed; `run_stage` answers what the stage itself may raise.
            self.progress.lose(stage)
            return True
        if result.status == "waiting" and result.wake is not None:
            self.progress.foresee(result.early, result.fired)
            call = self._calls[stage.id].model_copy(update={"is_root": False})
            self._begin(stage, self._attempts(stage, call, result.wake))
            return True
        if result.status != "unclaimed":
            self.progress.settle(stage, result.status, result.fired)
        return result.status != "unclaimed"

    async def _execute(self, stage: PlannedStage) -> StageResult:
        call = StageCall(
            fire=self.place.fire,
            stage_id=stage.id,
            run_id=self.place.run_id,
            incoming=self.progress.incoming(stage),
            is_root=stage.is_root,
            attempt=1 if stage.id in self.sides else 0,
            branch=self.place.branch,
            outcome=self.place.outcome,
        )
        if not self.progress.is_wanted(stage):
            return await ask(ports.skip_stage, call, call.record_id)
        return await self._attempts(stage, call)

    async def _attempts(
        self, stage: PlannedStage, call: StageCall, wake: datetime | None = None
    ) -> StageResult:
        """How the stage ended, or what it waits for; with a wake, it has begun to wait."""
        while True:
            self._calls[stage.id] = call
            result = await self._attempt(stage, call, wake)
            if result.status != "retrying":
                break
            self._branch_off(stage, call.attempt, result.fired)
            call, wake = call.model_copy(update={"attempt": call.attempt + 1}), None
            with self._left(call.record_id):
                await workflow.sleep(result.delay)
        if result.status == "opened":
            return await self._items(stage, call, result.items)
        return result

    async def _attempt(self, stage: PlannedStage, call: StageCall, wake: datetime | None) -> StageResult:
        if not stage.is_waiting:
            return await self._in_turn(stage, call)
        try:
            return await self._look_after(stage, call, wake)
        except (asyncio.CancelledError, ActivityError) as error:
            if not is_cancelled_exception(error):
                raise
            return await ask(ports.abandon_stage, call, call.record_id)

    async def _look_after(self, stage: PlannedStage, call: StageCall, wake: datetime | None) -> StageResult:
        """How a stage that waits stands, now or when there may be news; only its claim takes a slot."""
        if wake is not None:
            await self.place.turns.until(self._seen[stage.id], wake)
        self._seen[stage.id] = self.place.turns.given
        return await self._in_turn(stage, call)

    async def _in_turn(self, stage: PlannedStage, call: StageCall) -> StageResult:
        """How a stage ended that may execute; a queued trigger waits for those before it."""
        for asked in count():
            seen = self.place.turns.given
            result = await execute(stage, call)
            with self._left(call.record_id):
                heed_cancellation(result)
            if result.status != "queued":
                return result
            await asyncio.gather(*[_cancel(execution) for execution in result.cancel])
            await self.place.turns.after(seen, asked)
        raise AssertionError("unreachable")

    def _branch_off(self, stage: PlannedStage, attempt: int, fired: tuple[int, ...]) -> None:
        """Follow the branch of a failed attempt, beside everything else."""
        if not fired:
            return
        side = self.sides[stage.id]
        leading = {edge.index: edge.index in fired for edge in side.edges if edge.source == stage.id}
        place = replace(self.place, branch=Branch(source=stage.id, attempt=attempt))
        walk = Walk(place, side, fired=leading)
        self._beside[asyncio.create_task(walk.run())] = walk

    async def _items(self, stage: PlannedStage, call: StageCall, number: int) -> StageResult:
        each = call.model_copy(update={"is_root": False, "attempt": 0})
        with self._left(call.record_id):
            await execute_items(ItemsCall(call=each, stage=stage, count=number), self.place.turns)
            return await ask(ports.close_items, each, call.record_id)

    @contextmanager
    def _left(self, record: str) -> Iterator[None]:
        """A cancellation here finds no activity that would write the record."""
        try:
            yield
        except BaseException as error:
            if is_cancelled_exception(error):  # a cancelled child says so in an error of its own
                self._open[record] = None
            raise


async def _cancel(execution: Execution) -> None:
    """Ask a trigger to end, for the sake of one that waits; it may have ended by itself."""
    with suppress(FailureError):
        await workflow.get_external_workflow_handle(execution.workflow_id, run_id=execution.run_id).cancel()
