"""What follows when the graph of a trigger has ended: undoing what it did, and its handlers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from dsl.action import UNDO
    from dsl.plan import Plan, PlannedStage
    from workflows.messages import Outcome, Settlement, StageCall
    from workflows.remote import execute
    from workflows.walk import Place, Walk

HANDLERS: Mapping[str, Sequence[str]] = {
    "completed": ("on_success", "on_finish"),
    "failed": ("on_error", "on_finish"),
    "cancelled": ("on_finish",),
}


async def follow_up(place: Place, plan: Plan, walk: Walk, outcome: Outcome) -> Settlement:
    """Execute what stands behind the graph; none of it changes how the trigger ended."""
    skipped = list(walk.progress.untouched())
    if outcome.status != "completed":
        not_undone = await _undo(place, walk, outcome)
        outcome = outcome.model_copy(update={"not_undone": not_undone})
    for name in HANDLERS[outcome.status]:
        if (graph := plan.handlers.get(name)) is not None:
            handlers = Walk(replace(place, outcome=outcome), graph)
            if await handlers.run():  # else another run has the trigger, or it was never begun
                skipped += handlers.progress.untouched()
    return Settlement(
        fire=place.fire,
        run_id=place.run_id,
        status=outcome.status,
        failed=outcome.failed,
        skipped=tuple(skipped),
        stopped=walk.left_open,
        not_undone=outcome.not_undone,
    )


async def _undo(place: Place, walk: Walk, outcome: Outcome) -> tuple[str, ...]:
    """Undo the stages that have completed, the last one first; those whose effect is still there."""
    by_id = {stage.id: stage for stage in walk.graph.stages}
    ended = [by_id[name] for name, status in walk.progress.ended.items() if status == "completed"]
    done = [stage for stage in reversed(ended) if stage.undo is not None]
    return tuple([stage.id for stage in done if not await _is_undone(place, stage, outcome)])


async def _is_undone(place: Place, stage: PlannedStage, outcome: Outcome) -> bool:
    call = StageCall(fire=place.fire, stage_id=stage.id + UNDO, run_id=place.run_id, outcome=outcome)
    undo = PlannedStage(
        id=call.stage_id, is_pure=False, is_root=False, timeout=stage.undo or stage.timeout
    )  # fmt: skip
    try:
        result = await execute(undo, call)
    except ActivityError:
        return False
    return result.status != "failed"
