"""Stages that wait: on a timer and a signal, and without an activity."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import scenarios
from tests.workflows.plans import make_foreach, make_plan
from tests.workflows.scripted import Gate
from tests.workflows.stand import PATIENCE, Stand, names_of, wait_for
from workflows import foreach


async def test_a_stage_that_waits_is_looked_after_when_told_to_and_at_its_wake(stand: Stand) -> None:
    handle = await scenarios._waits(stand)
    assert stand.ports.log[:4] == ["plan", "run a", "run b", "pure a"]
    assert sorted(stand.ports.log[4:8]) == ["pure a", "pure d", "pure d", "run c"]
    assert stand.ports.log[8:] == ["finish completed"]
    assert (await names_of(handle)).count("ACTIVITY_TASK_SCHEDULED") == 3


async def test_only_its_first_look_claims(stand: Stand) -> None:
    await scenarios._waits(stand)
    assert (stand.ports.stage_calls["a"].is_root, stand.ports.stage_calls["d"].incoming) == (False, (2,))


async def test_a_cancelled_trigger_gives_its_waits_up(stand: Stand) -> None:
    await scenarios._waits_cancelled(stand)
    assert stand.ports.log == ["plan", "run a", "skip b", "abandon a", "finish cancelled"]
    assert stand.ports.settlements[0].skipped == ("c", "d")


async def test_a_trigger_that_fails_does_not_wait_on(stand: Stand) -> None:
    await scenarios._waits_in_vain(stand)
    assert stand.ports.log == ["plan", "run a", "run b", "abandon a", "finish failed"]
    assert stand.ports.settlements[0].failed == ("b",)


async def test_an_early_connector_whose_condition_says_no_is_dead(stand: Stand) -> None:
    stand.ports.waiting["a"] = [scenarios._waiting(timedelta(seconds=1), early=(0,))]
    await stand.execute(scenarios.WAITING)
    assert sorted(stand.ports.log) == [
        "finish completed",
        "plan",
        "pure a",
        "pure d",
        "run a",
        "skip b",
        "skip c",
    ]


async def test_items_wait_each_for_itself(stand: Stand) -> None:
    stand.ports.items["a"] = 3
    stand.ports.waiting["a/0"] = [scenarios._waiting(timedelta(seconds=1))]
    handle = await stand.execute(make_plan("a", a={**scenarios.WAITS, **make_foreach()}))
    assert sorted(stand.ports.log[2:6]) == ["pure a/0", "pure a/0", "pure a/1", "pure a/2"]
    assert stand.ports.log[6:] == ["close a", "finish completed"]
    assert (await names_of(handle)).count("ACTIVITY_TASK_SCHEDULED") == 1


async def test_items_in_a_workflow_of_their_own_hear_of_their_answers(
    stand: Stand,
) -> None:
    stand.ports.items["a"] = foreach.FEW + 1
    stand.ports.waiting["a/0"] = [scenarios._waiting(timedelta(hours=1))]
    stand.ports.plan = make_plan("a", a={**scenarios.WAITS, **make_foreach(40)})
    handle = await stand.start_trigger()
    child = stand.client.get_workflow_handle(f"{handle.id}/a")
    await wait_for(handle, "CHILD_WORKFLOW_EXECUTION_STARTED")
    await wait_for(child, "TIMER_STARTED")
    await child.signal("released")
    await handle.result()
    assert (stand.ports.log.count("pure a/0"), stand.ports.log[-1]) == (2, "finish completed")


async def test_items_that_wait_are_given_up_with_their_trigger(stand: Stand) -> None:
    stand.ports.items["a"] = 2
    stand.ports.waiting["a/1"] = [scenarios._waiting(timedelta(hours=1))]
    stand.ports.plan = make_plan("a", a={**scenarios.WAITS, **make_foreach()})
    handle = await stand.start_trigger()
    await wait_for(handle, "TIMER_STARTED")
    await handle.cancel()
    await handle.result()
    assert stand.ports.log[-2:] == ["abandon a", "finish cancelled"]


async def test_a_trigger_that_fails_gives_up_items_that_wait(stand: Stand) -> None:
    stand.ports.items["a"] = 2
    stand.ports.waiting["a/1"] = [scenarios._waiting(timedelta(hours=1))]
    stand.ports.outcomes["b"] = "failed"
    stand.ports.gates["b"] = Gate()
    stand.ports.plan = make_plan("a b", a={**scenarios.WAITS, **make_foreach()})
    handle = await stand.start_trigger()
    await wait_for(handle, "TIMER_STARTED")
    stand.ports.gates["b"].open()
    await handle.result()
    assert stand.ports.log[-2:] == ["abandon a", "finish failed"]
    assert (stand.ports.settlements[0].failed, stand.ports.settlements[0].stopped) == (("b",), ("a",))


UNENDED = {
    "items that wait": {**scenarios.WAITS, **make_foreach()},
    "items": make_foreach(),
    "a wait": scenarios.WAITS,
    "its turn": {},
}


@pytest.mark.parametrize("more", UNENDED.values(), ids=UNENDED)
async def test_a_stage_that_ends_an_activity_before_it_hears_of_its_cancellation_goes_no_further(
    stand: Stand, more: dict[str, Any]
) -> None:
    if more.get("foreach"):
        stand.ports.items["a"] = 2
    elif more:
        stand.ports.waiting["a"] = [scenarios._waiting(timedelta(hours=1))]
    else:
        stand.ports.queued["a"] = 1
    gate = stand.ports.gates["a"] = Gate(is_deaf=True)
    stand.ports.plan = make_plan("a", a=more)
    handle = await stand.start_trigger()
    await gate.reached.wait()
    await handle.cancel()
    await wait_for(handle, "ACTIVITY_TASK_CANCEL_REQUESTED")
    gate.open()
    async with asyncio.timeout(PATIENCE):
        await handle.result()
    assert stand.ports.log[-1] == "finish cancelled"
    assert not any(entry.startswith(("pure a", "run a/")) for entry in stand.ports.log)
