"""How workflows have stages executed, and items of stages: as activities on the tenant's queue."""

import asyncio
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from dsl.plan import PlannedStage
    from workflows import ports
    from workflows.local import RETRY, ask
    from workflows.messages import StageCall, StageResult

OPENING = timedelta(minutes=1)  # for a root stage to write down what it waits for
HEARTBEAT = timedelta(seconds=10)  # after the due, or its death, a dead worker's stages are taken over
# The longer a trigger is held, the more are due with it, and the longer it takes to report all of their ends.
REPORTS = 10  # the part of the hold that is waited for these
SILENCE = timedelta(minutes=5)  # of a hold; in a longer one a worker says now and then that it is there
UNENDED = frozenset({"queued", "waiting", "opened", "retrying"})  # what is said of a stage that goes on
SLACK = timedelta(seconds=30)  # above the hold and the stage's own timeout, which `run_stage` enforces


async def execute(stage: PlannedStage, call: StageCall) -> StageResult:
    """How the stage, or the item, ended, or how it stands; raises ActivityError if no attempt can succeed."""
    summary = call.record_id if call.item is None else f"{call.record_id} {call.item}"
    is_opening = stage.foreach is not None and call.item is None
    if (stage.is_pure or stage.is_waiting) and not call.is_root and not is_opening:
        return await ask(ports.run_pure_stage, call, summary)
    work = OPENING if stage.is_waiting else stage.timeout
    hold = max(call.fire.start_at - workflow.now(), timedelta()) if call.is_root else timedelta()
    return await workflow.execute_activity(
        ports.run_stage,
        call,
        start_to_close_timeout=hold + work + SLACK,
        heartbeat_timeout=min(hold, SILENCE) + HEARTBEAT + hold / REPORTS,
        retry_policy=RETRY,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=summary,
    )


def heed_cancellation(result: StageResult) -> None:
    """Raise CancelledError if this task was cancelled while an activity said that its stage goes on.

    An activity that ends before it hears of its cancellation ends well, and the SDK forgets the cancellation.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling() and result.status in UNENDED:
        raise asyncio.CancelledError
