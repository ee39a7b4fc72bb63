from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from dsl.plan import Plan
from tests.workflows.plans import make_foreach, make_handlers, make_plan, make_side, undoable
from tests.workflows.scripted import Gate
from tests.workflows.stand import Stand, wait_for
from workflows.messages import Branch, Outcome

EVERY = {"on_error": "page tell", "on_success": "boast", "on_finish": "clean"}


def handled(stages: str, *edges: str, **special: Any) -> Plan:
    return make_plan(stages, *edges, **special).model_copy(update={"handlers": make_handlers(**EVERY)})


def followed(plan: Plan, stages: str = "note", *edges: str) -> Plan:
    """The plan with a branch for each failed attempt of `a`."""
    side = make_side("a", stages, "a note retry", *edges)
    return plan.model_copy(update={"sides": (side,)})


async def test_success_is_followed_by_its_handlers(stand: Stand) -> None:
    await stand.execute(handled("a"))
    assert stand.ports.log == ["plan", "run a", "run boast", "run clean", "finish completed"]
    assert stand.ports.stage_calls["clean"].outcome == Outcome(status="completed")


async def test_failure_is_followed_by_its_handlers(stand: Stand) -> None:
    stand.ports.outcomes["a"] = "failed"
    await stand.execute(handled("a b", "a b"))
    assert stand.ports.log == ["plan", "run a", "run page", "run tell", "run clean", "finish failed"]
    assert stand.ports.stage_calls["page"].outcome == Outcome(status="failed", failed=("a",))


async def test_a_failed_handler_ends_its_list_and_changes_nothing_else(stand: Stand) -> None:
    stand.ports.outcomes = {"a": "failed", "page": "failed"}
    await stand.execute(handled("a b", "a b"))
    assert stand.ports.log == ["plan", "run a", "run page", "run clean", "finish failed"]
    settlement = stand.ports.settlements[0]
    assert (settlement.status, settlement.failed, settlement.skipped) == ("failed", ("a",), ("b", "tell"))


async def test_a_failed_handler_does_not_make_a_trigger_fail(stand: Stand) -> None:
    stand.ports.outcomes = {"boast": "failed"}
    await stand.execute(handled("a"))
    assert [one.status for one in stand.ports.settlements] == ["completed"]


async def test_a_cancelled_trigger_is_finished_as_well(stand: Stand) -> None:
    gate = stand.ports.gates["a"] = Gate()
    stand.ports.plan = handled("a")
    handle = await stand.start_trigger()
    await gate.reached.wait()
    await handle.cancel()
    await handle.result()
    assert stand.ports.log == ["plan", "run a", "cancelled a", "run clean", "finish cancelled"]


async def test_handlers_that_have_begun_are_not_cancelled(stand: Stand) -> None:
    gate = stand.ports.gates["page"] = Gate()
    stand.ports.outcomes["a"] = "failed"
    stand.ports.plan = handled("a")
    handle = await stand.start_trigger()
    await gate.reached.wait()
    await handle.cancel()
    await wait_for(handle, "WORKFLOW_EXECUTION_CANCEL_REQUESTED")
    gate.open()
    await handle.result()
    assert stand.ports.log[2:] == ["run page", "run tell", "run clean", "finish failed"]


async def test_handlers_of_another_runs_trigger_end_at_once(stand: Stand) -> None:
    stand.ports.outcomes = {"a": "failed", "page": "unclaimed", "clean": "unclaimed"}
    await stand.execute(handled("a"))
    assert stand.ports.log == ["plan", "run a", "run page", "run clean", "finish failed"]


async def test_a_failed_trigger_undoes_what_it_did_the_last_first(stand: Stand) -> None:
    stand.ports.outcomes["d"] = "failed"
    await stand.execute(make_plan("a b c d e", "a b", "b c", "c d", "d e", **undoable("a", "c", "d", "e")))
    assert stand.ports.log[-3:] == ["run c.undo", "run a.undo", "finish failed"]
    assert stand.ports.settlements[0].not_undone == ()


async def test_what_cannot_be_undone_is_told_and_the_rest_is_undone(stand: Stand) -> None:
    stand.ports.outcomes = {"d": "failed", "c.undo": "failed"}
    stand.ports.outcomes["b.undo"] = [ApplicationError("no way", non_retryable=True)]
    plan = make_plan("a b c d", "a b", "b c", "c d", **undoable("a", "b", "c"))
    await stand.execute(plan.model_copy(update={"handlers": make_handlers(on_error="page")}))
    assert stand.ports.log[-5:] == ["run c.undo", "run b.undo", "run a.undo", "run page", "finish failed"]
    assert stand.ports.settlements[0].not_undone == ("c", "b")
    assert stand.ports.stage_calls["page"].outcome == Outcome(
        status="failed", failed=("d",), not_undone=("c", "b")
    )


async def test_a_cancelled_trigger_undoes_what_it_did(stand: Stand) -> None:
    gate = stand.ports.gates["b"] = Gate()
    stand.ports.plan = make_plan("a b", "a b", **undoable("a", "b"))
    handle = await stand.start_trigger()
    await gate.reached.wait()
    await handle.cancel()
    await handle.result()
    assert stand.ports.log[-2:] == ["run a.undo", "finish cancelled"]


async def test_what_completed_is_not_undone(stand: Stand) -> None:
    await stand.execute(make_plan("a", **undoable("a")))
    assert stand.ports.log == ["plan", "run a", "finish completed"]


async def test_each_failed_attempt_has_a_branch_of_its_own(stand: Stand) -> None:
    stand.ports.retries["a"] = 2
    await stand.execute(followed(make_plan("a b", "a b"), "note more", "note more"))
    assert [line for line in stand.ports.log if line.startswith("run a")] == ["run a"] * 3
    branches = sorted(line for line in stand.ports.log if ".a." in line)
    assert branches == ["run more.a.1", "run more.a.2", "run note.a.1", "run note.a.2"]
    assert stand.ports.log[-1] == "finish completed"
    call = stand.ports.stage_calls["note.a.2"]
    assert (call.branch, call.incoming) == (Branch(source="a", attempt=2), (50,))


async def test_nothing_but_the_end_of_the_trigger_waits_for_a_branch(stand: Stand) -> None:
    stand.ports.retries["a"] = 1
    gate = stand.ports.gates["note.a.1"] = Gate()
    reached = stand.ports.gates["b"] = Gate()
    stand.ports.plan = followed(make_plan("a b", "a b"))
    handle = await stand.start_trigger()
    await reached.reached.wait()
    reached.open()
    await wait_for(handle, "ACTIVITY_TASK_COMPLETED", 3)
    assert "finish completed" not in stand.ports.log
    gate.open()
    await handle.result()
    assert stand.ports.log[-1] == "finish completed"


@pytest.mark.parametrize("ended", ["failed", [ApplicationError("no way", non_retryable=True)]])
async def test_a_failed_branch_fails_nothing(stand: Stand, ended: Any) -> None:
    stand.ports.retries["a"], stand.ports.outcomes["note.a.1"] = 1, ended
    await stand.execute(followed(make_plan("a")))
    assert (stand.ports.log[-1], stand.ports.settlements[0].failed) == ("finish completed", ())


async def test_a_branch_whose_condition_says_no_is_not_followed(stand: Stand) -> None:
    stand.ports.retries["a"], stand.ports.dead = 1, frozenset({50})
    await stand.execute(followed(make_plan("a")))
    assert stand.ports.log == ["plan", "run a", "run a", "finish completed"]


async def test_a_cancellation_between_two_attempts_leaves_the_stage_open(stand: Stand) -> None:
    stand.ports.retries["a"] = 1000
    gate = stand.ports.gates["note.a.1"] = Gate()
    stand.ports.plan = followed(make_plan("a"))
    handle = await stand.start_trigger()
    await gate.reached.wait()
    await handle.cancel()
    await handle.result()
    assert "cancelled note.a.1" in stand.ports.log
    assert stand.ports.settlements[0].status == "cancelled"


@pytest.mark.parametrize("has_outputs", [True, False])
async def test_outputs_that_cannot_be_made_are_a_failure_like_any_other(
    stand: Stand, has_outputs: bool
) -> None:
    stand.ports.has_outputs = has_outputs
    plan = handled("a", **undoable("a")).model_copy(update={"needs_outputs": True})
    await stand.execute(plan)
    good = ["run boast", "run clean", "finish completed"]
    bad = ["run a.undo", "run page", "run tell", "run clean", "finish failed"]
    assert stand.ports.log == ["plan", "run a", "outputs", *(good if has_outputs else bad)]


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_items_that_have_completed_are_undone_whatever_became_of_their_stage(
    stand: Stand, is_cancelled: bool
) -> None:
    undo = {**undoable("b")["b"]["undo"], **make_foreach(is_strict=False)}
    plan = make_plan("a b", "a b", a=undoable("a")["a"], b={**make_foreach(1), "undo": undo})
    stand.ports.items, stand.ports.outcomes = {"b": 3, "b.undo": 1}, {"b/1": "failed"}
    if is_cancelled:
        stand.ports.gates["b/1"] = Gate()
    stand.ports.plan = plan
    handle = await stand.start_trigger()
    if is_cancelled:
        await stand.ports.gates["b/1"].reached.wait()
        await handle.cancel()
    await handle.result()
    status = "cancelled" if is_cancelled else "failed"
    undone = ["run b.undo", "run b.undo/0", "close b.undo", "run a.undo"]
    assert stand.ports.log[-5:] == [*undone, f"finish {status}"]
