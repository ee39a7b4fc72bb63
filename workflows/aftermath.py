"""What follows when the graph of a trigger has ended: undoing what it did, and its handlers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from dsl.plan import Graph, Plan, PlannedStage
    from workflows import ports
    from workflows.local import ask
    from workflows.messages import Outcome, Settlement
    from workflows.walk import Place, Walk

HANDLERS: Mapping[str, Sequence[str]] = {
    "completed": ("on_success", "on_finish"),
    "failed": ("on_error", "on_finish"),
    "cancelled": ("on_finish",),
}


async def follow_up(place: Place, plan: Plan, walk: Walk, outcome: Outcome) -> Settlement:
    """Execute what stands behind the graph; none of it changes how the trigger ended."""
    skipped = list(walk.progress.untouched())
    if outcome.status == "completed" and plan.needs_outputs:
        settlement = Settlement(fire=place.fire, run_id=place.run_id, status=outcome.status)
        if not await ask(ports.try_outputs, settlement):
            outcome = outcome.model_copy(update={"status": "failed"})
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
    """Undo what was done, the last stage first; the stages whose effect is still there."""
    left = []
    for stage, undo in _to_undo(walk):
        alone = Walk(replace(place, outcome=outcome), Graph(stages=(undo,), edges=()))
        await alone.run()
        left += [stage.id] if alone.progress.unhandled else []
    return tuple(left)


def _to_undo(walk: Walk) -> Iterator[tuple[PlannedStage, PlannedStage]]:
    """The stages that have completed and what undoes each, the last one first.

    Of items some have completed even where their stage has failed, or was cancelled.
    """
    by_id = {stage.id: stage for stage in walk.graph.stages}
    ended = walk.progress.ended
    open_ones = [stage.id for stage in walk.graph.stages if stage.id in walk.progress.started - ended.keys()]
    for name in reversed([*ended, *open_ones]):
        stage = by_id[name]
        is_done = ended.get(name) == "completed" or (
            stage.foreach is not None and ended.get(name) != "skipped"
        )
        if is_done and stage.undo is not None:
            yield stage, stage.undo
