"""How workflows have stages executed, and items of stages: as activities on the tenant's queue."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from dsl.plan import PlannedStage
    from workflows import ports
    from workflows.local import RETRY, ask
    from workflows.messages import StageCall, StageResult

HEARTBEAT = timedelta(seconds=10)  # a dead worker's stages are taken over after this long
SLACK = timedelta(seconds=30)  # above the hold and the stage's own timeout, which `run_stage` enforces


async def execute(stage: PlannedStage, call: StageCall) -> StageResult:
    """How the stage, or the item, ended; raises ActivityError if no attempt can succeed."""
    summary = call.record_id if call.item is None else f"{call.record_id} {call.item}"
    if stage.is_pure and not call.is_root and (stage.foreach is None or call.item is not None):
        return await ask(ports.run_pure_stage, call, summary)
    hold = max(call.fire.start_at - workflow.now(), timedelta()) if call.is_root else timedelta()
    return await workflow.execute_activity(
        ports.run_stage,
        call,
        start_to_close_timeout=hold + stage.timeout + SLACK,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=RETRY,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=summary,
    )
