"""The schedule workflow: a replaceable cursor that sleeps between allocations."""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import Priority, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from cronny.names import SEARCH_ACTION, SEARCH_SCHEDULE, SEARCH_TENANT, tenant_queue
    from workflows import ports
    from workflows.local import ask
    from workflows.messages import AllocateCall, Allocation, Fire, ScheduleRef
    from workflows.trigger import Trigger

WAKES = 10  # allocations in one run; then its history starts afresh
# A wake that has passed is asked for again, but not at full speed: the database's clock may be behind.
LEAST_SLEEP = timedelta(seconds=1)

TENANT = SearchAttributeKey.for_keyword(SEARCH_TENANT)
SCHEDULE = SearchAttributeKey.for_keyword(SEARCH_SCHEDULE)
ACTION = SearchAttributeKey.for_keyword(SEARCH_ACTION)


@workflow.defn(name="schedule")
class Schedule:
    """Asks what is near due, starts its triggers, sleeps; all decisions are the allocation's."""

    def __init__(self) -> None:
        self._is_changed = False
        self._sleep: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, call: AllocateCall) -> None:
        """Serve the schedule until no fire is left to wait for."""
        for _ in range(WAKES):
            if (
                workflow.info().is_continue_as_new_suggested()
            ):  # one wake may have started a thousand triggers
                break
            self._is_changed = False
            allocation = await ask(ports.allocate, call)
            await asyncio.gather(*[_start(fire) for fire in allocation.fires])
            call = _after(call, allocation)
            if self._is_changed:
                continue
            if allocation.wake is None:
                return
            await self._sleep_until(allocation.wake)
        workflow.continue_as_new(call)

    @workflow.signal
    def changed(self) -> None:
        """Tell the workflow that the schedule's row changed."""
        self._is_changed = True
        if self._sleep is not None:
            self._sleep.cancel()

    async def _sleep_until(self, wake: datetime) -> None:
        span = max(wake - workflow.now(), LEAST_SLEEP)
        self._sleep = asyncio.create_task(workflow.sleep(span))
        await workflow.wait([self._sleep])
        self._sleep = None


async def _start(fire: Fire) -> None:
    try:
        await workflow.start_child_workflow(
            Trigger.run,
            fire,
            id=fire.workflow_id,
            task_queue=tenant_queue(fire.tenant),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            search_attributes=search_attributes(fire.tenant, fire.action, fire.schedule),
            static_summary=f"{fire.action} v{fire.version}, due {fire.due.isoformat()}",
            priority=Priority(priority_key=fire.priority, fairness_key=fire.tenant),
        )
    except WorkflowAlreadyStartedError:
        workflow.logger.info("the trigger's workflow exists", extra={"workflow": fire.workflow_id})


def search_attributes(tenant: str, action: str, schedule: str) -> TypedSearchAttributes:
    """How an operator finds a trigger in Temporal."""
    pairs = [SearchAttributePair(TENANT, tenant), SearchAttributePair(ACTION, action)]
    return TypedSearchAttributes([*pairs, SearchAttributePair(SCHEDULE, schedule)] if schedule else pairs)


def _after(call: AllocateCall, allocation: Allocation) -> AllocateCall:
    spawned = call.spawned if call.generation == allocation.generation else None
    dues = [fire.due for fire in allocation.fires]
    latest = max([*dues, spawned] if spawned else dues, default=None)
    return AllocateCall(schedule=call.schedule, generation=allocation.generation, spawned=latest)


def first_call(tenant: str, schedule_id: str) -> AllocateCall:
    """The argument a schedule workflow is started with."""
    return AllocateCall(schedule=ScheduleRef(tenant=tenant, schedule_id=schedule_id))
