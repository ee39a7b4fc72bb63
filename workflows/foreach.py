"""The items of a stage: in the trigger's own workflow while they are few, otherwise in a child of it.

The child begins a new history every few hundred items, so that no history grows with the list.
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from dsl.plan import PlannedStage
    from workflows import ports
    from workflows.local import ask
    from workflows.messages import ItemsCall, StageCall, StageResult
    from workflows.remote import execute, heed_cancellation
    from workflows.turns import Turns

FEW = 20  # items whose events the history of a trigger may bear: about six each
IN_ONE_HISTORY = 500  # items; the server proposes to begin anew after some 4000 events


@workflow.defn(name="foreach")
class Foreach:
    """The items of one stage of one trigger."""

    def __init__(self) -> None:
        self._turns = Turns()

    @workflow.run
    async def run(self, items: ItemsCall) -> None:
        """Execute them; what came of each stands in its record."""
        window = _Window(items, min(items.first + IN_ONE_HISTORY, items.count), self._turns, is_child=True)
        if await window.run() and window.begun < items.count:
            workflow.continue_as_new(items.model_copy(update={"first": window.begun}))

    @workflow.signal
    def released(self) -> None:
        """Tell the workflow that something for which an item waits has happened."""
        self._turns.given += 1


async def execute_items(items: ItemsCall, turns: Turns) -> None:
    """Execute all items, or as many as the first failure lets begin; raises FailureError if one cannot be."""
    if items.count <= FEW:
        await _Window(items, items.count, turns).run()
        return
    info = workflow.info()
    await workflow.execute_child_workflow(
        Foreach.run,
        items,
        id=f"{info.workflow_id}/{items.call.record_id}",
        cancellation_type=workflow.ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        search_attributes=info.typed_search_attributes,
        static_summary=f"{items.call.record_id}: {items.count} items",
        priority=info.priority,
    )


class _Window:
    """The items under way: as many at once as the stage allows, each begun in its turn."""

    def __init__(self, items: ItemsCall, end: int, turns: Turns, *, is_child: bool = False) -> None:
        self.begun = items.first  #: The number of the next item.
        self._is_child = is_child
        self._items = items
        self._turns = turns
        self._end = end
        self._at_once = items.stage.foreach.at_once if items.stage.foreach is not None else 1
        self._is_strict = items.stage.foreach is None or items.stage.foreach.is_strict
        self._running: list[asyncio.Task[StageResult]] = []
        self._is_over = False
        self._lost: ActivityError | None = None

    async def run(self) -> bool:
        """Execute the items; whether those behind them are to be executed as well."""
        try:
            while self._begin():
                done, _ = await workflow.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._running.remove(task)
                    self._take_in(task)
        except asyncio.CancelledError:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            raise
        if self._lost is not None:
            raise self._lost
        return not self._is_over

    def _begin(self) -> bool:
        if self._is_child and workflow.info().is_continue_as_new_suggested():
            self._end = self.begun  # Items that wait are looked after at each news of one of them.
        while not self._is_over and self.begun < self._end and len(self._running) < self._at_once:
            call = self._items.call.model_copy(update={"item": self.begun})
            self._running.append(asyncio.create_task(self._execute(self._items.stage, call)))
            self.begun += 1
        return bool(self._running)

    async def _execute(self, stage: PlannedStage, call: StageCall) -> StageResult:
        """How an item ended; one that waits is looked after whenever there may be news."""
        try:
            while True:
                seen = self._turns.given
                result = await execute(stage, call)
                heed_cancellation(result)
                if result.status != "waiting" or result.wake is None:
                    return result
                await self._turns.until(seen, result.wake)
        except (asyncio.CancelledError, ActivityError) as error:
            if stage.is_waiting and is_cancelled_exception(error):
                return await ask(ports.abandon_stage, call, f"{call.record_id} {call.item}")
            raise

    def _take_in(self, task: "asyncio.Task[StageResult]") -> None:
        try:
            status = task.result().status
        except ActivityError as error:
            self._lost, self._is_over = error, True
            return
        self._is_over = self._is_over or (self._is_strict and status == "failed")
