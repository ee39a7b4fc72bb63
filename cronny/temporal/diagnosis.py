"""What Temporal knows of a trigger's workflow that should have moved on and has not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from temporalio.api.enums.v1 import EventType, PendingActivityState, PendingWorkflowTaskState
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from cronny.temporal.schedules import PATIENCE, away

TRIES = 3  # failures in a row of the same thing that are no accident any more
LONGEST = 300  # characters of a reason

_ENDED_BY_ITSELF = {
    WorkflowExecutionStatus.COMPLETED: "its workflow ended without a claim",
    WorkflowExecutionStatus.CANCELED: "its workflow was cancelled",
    WorkflowExecutionStatus.TERMINATED: "its workflow was terminated",
}


class Standing(StrEnum):
    """How a workflow stands."""

    GONE = "gone"  #: There is none, or it has ended without a claim.
    BROKEN = "broken"  #: It has failed, and would fail again.
    FAILING = "failing"  #: The same thing is tried again and again.
    UNSERVED = "unserved"  #: No worker takes its work.
    UNDER_WAY = "under_way"  #: Nothing is wrong with it.


@dataclass(frozen=True)
class Diagnosis:
    """How a workflow stands, and why."""

    standing: Standing
    why: str


async def diagnose(client: Client, workflow_id: str) -> Diagnosis:
    """How the latest run of a trigger's workflow stands; raises Unavailable."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        seen = await handle.describe(rpc_timeout=PATIENCE)
        if seen.status is WorkflowExecutionStatus.FAILED:
            return Diagnosis(Standing.BROKEN, f"its workflow failed: {await _last_failure(handle)}")
        if seen.status is not WorkflowExecutionStatus.RUNNING:
            why = _ENDED_BY_ITSELF.get(seen.status, "its workflow ended") if seen.status else "unknown"
            return Diagnosis(Standing.GONE, why)
        return await _running(handle, seen.raw_description)
    except (RPCError, RuntimeError) as error:
        if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
            return Diagnosis(Standing.GONE, "Temporal does not know its workflow")
        raise away(error) from error


async def _running(handle: WorkflowHandle[Any, Any], seen: DescribeWorkflowExecutionResponse) -> Diagnosis:
    for pending in seen.pending_activities:
        if (found := _activity(pending)) is not None:
            return found
    if seen.HasField("pending_workflow_task"):
        task = seen.pending_workflow_task
        if task.attempt >= TRIES:
            return Diagnosis(Standing.FAILING, f"its workflow task fails: {await _last_failure(handle)}")
        if task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
            return Diagnosis(Standing.UNSERVED, "no worker takes its workflow task")
    elif not seen.pending_activities and len(failures := await _failures(handle)) >= TRIES:
        # What it waits for is the next try of a local activity.
        return Diagnosis(Standing.FAILING, f"a step of its workflow fails: {failures[-1]}")
    return Diagnosis(Standing.UNDER_WAY, "its workflow is under way")


def _activity(pending: PendingActivityInfo) -> Diagnosis | None:
    if pending.attempt > TRIES and pending.HasField("last_failure"):
        return Diagnosis(Standing.FAILING, f"its first stage cannot start: {_message(pending.last_failure)}")
    is_waiting = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    if is_waiting and pending.scheduled_time.ToDatetime(UTC) < datetime.now(UTC):
        return Diagnosis(Standing.UNSERVED, "no worker takes its first stage")
    return None


async def _last_failure(handle: WorkflowHandle[Any, Any]) -> str:
    failures = await _failures(handle)
    return failures[-1] if failures else "no reason was recorded"


async def _failures(handle: WorkflowHandle[Any, Any]) -> Sequence[str]:
    """What has gone wrong since the last success, in order; what is unclaimed has a short history."""
    failures: list[str] = []
    async for event in handle.fetch_history_events(rpc_timeout=PATIENCE):
        failure = _failure(event)
        if failure is None:
            continue
        failures = [*failures, _message(failure)] if failure.message else []
    return failures


def _failure(event: HistoryEvent) -> Failure | None:
    """The failure that an event tells of; an empty one if it tells of a success."""
    match event.event_type:
        case EventType.EVENT_TYPE_MARKER_RECORDED:
            return event.marker_recorded_event_attributes.failure
        case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            return event.workflow_task_failed_event_attributes.failure
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
            return event.workflow_execution_failed_event_attributes.failure
    return None


def _message(failure: Failure) -> str:
    """The reason at the root of a failure, in one line."""
    while failure.HasField("cause"):
        failure = failure.cause
    return failure.message.strip().partition("\n")[0][:LONGEST]
