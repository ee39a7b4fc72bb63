"""Telling Temporal of schedules and triggers; the database has been written before."""

from datetime import timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from cronny.errors import Refused, Unavailable
from cronny.names import SYSTEM_QUEUE, schedule_workflow, tenant_queue
from workflows.messages import Fire
from workflows.schedule import Schedule, first_call, search_attributes
from workflows.trigger import Trigger

PATIENCE = timedelta(seconds=5)  # for one call; the watchdog repeats what did not get through

# Answers to this one message: any other may get through. A namespace without our search attributes gives one.
_REFUSALS = {
    RPCStatusCode.INVALID_ARGUMENT,
    RPCStatusCode.FAILED_PRECONDITION,
    RPCStatusCode.OUT_OF_RANGE,
    RPCStatusCode.ALREADY_EXISTS,
}


async def notify(client: Client, tenant: str, schedule_id: str, schedule: str, action: str) -> None:
    """Wake the schedule's workflow, or start it; raises Unavailable."""
    try:
        await client.start_workflow(
            Schedule.run,
            first_call(tenant, schedule_id),
            id=schedule_workflow(tenant, schedule),
            task_queue=SYSTEM_QUEUE,
            start_signal="changed",
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            search_attributes=search_attributes(tenant, action, schedule),
            static_summary=f"schedule {schedule} of {tenant}",
            priority=Priority(fairness_key=tenant),
            rpc_timeout=PATIENCE,
        )
    except (RPCError, RuntimeError) as error:
        raise away(error) from error


async def replace(client: Client, tenant: str, schedule_id: str, schedule: str, action: str) -> None:
    """Start the schedule's workflow afresh in the place of one that does not wake; raises Unavailable."""
    try:
        await client.start_workflow(
            Schedule.run,
            first_call(tenant, schedule_id),
            id=schedule_workflow(tenant, schedule),
            task_queue=SYSTEM_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            search_attributes=search_attributes(tenant, action, schedule),
            static_summary=f"schedule {schedule} of {tenant}",
            priority=Priority(fairness_key=tenant),
            rpc_timeout=PATIENCE,
        )
    except (RPCError, RuntimeError) as error:
        raise away(error) from error


async def start_trigger(client: Client, fire: Fire) -> None:
    """Start a trigger's workflow unless it is under way; raises Unavailable."""
    try:
        await client.start_workflow(
            Trigger.run,
            fire,
            id=fire.workflow_id,
            task_queue=tenant_queue(fire.tenant),
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=search_attributes(fire.tenant, fire.action, fire.schedule),
            static_summary=f"{fire.action} v{fire.version}",
            priority=Priority(priority_key=fire.priority, fairness_key=fire.tenant),
            rpc_timeout=PATIENCE,
        )
    except (RPCError, RuntimeError) as error:
        raise away(error) from error


async def is_running(client: Client, workflow_id: str, run_id: str) -> bool:
    """Whether that run of a workflow is under way; raises Unavailable."""
    try:
        found = await client.get_workflow_handle(workflow_id, run_id=run_id).describe(rpc_timeout=PATIENCE)
    except (RPCError, RuntimeError) as error:
        if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise away(error) from error
    return found.status is WorkflowExecutionStatus.RUNNING


async def terminate(client: Client, workflow_id: str, run_id: str, reason: str) -> None:
    """End that run of a workflow at once, unless it has ended; raises Unavailable."""
    try:
        handle = client.get_workflow_handle(workflow_id, run_id=run_id)
        await handle.terminate(reason=reason, rpc_timeout=PATIENCE)
    except (RPCError, RuntimeError) as error:
        if not (isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND):
            raise away(error) from error


async def cancel(client: Client, workflow_id: str, run_id: str) -> None:
    """Ask that run of a workflow to end in order, unless it has ended; raises Unavailable."""
    try:
        await client.get_workflow_handle(workflow_id, run_id=run_id).cancel(rpc_timeout=PATIENCE)
    except (RPCError, RuntimeError) as error:
        if not (isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND):
            raise away(error) from error


async def release(client: Client, workflow_id: str) -> None:
    """Tell a queued trigger that its turn has come; one that is gone asks no more. Raises Unavailable."""
    try:
        await client.get_workflow_handle(workflow_id).signal(Trigger.released, rpc_timeout=PATIENCE)
    except (RPCError, RuntimeError) as error:
        if not (isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND):
            raise away(error) from error


def away(error: RPCError | RuntimeError) -> Unavailable:
    """What a failed call to Temporal amounts to."""
    if isinstance(error, RPCError) and error.status in _REFUSALS:
        return Refused(f"Temporal refuses: {error}")
    return Unavailable(f"Temporal does not answer: {error}")
