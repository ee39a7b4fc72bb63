"""A queued trigger gives up its slot and asks again when its turn has come."""

from datetime import timedelta

import pytest
from temporalio.worker import UnsandboxedWorkflowRunner

from tests.workflows import scenarios
from tests.workflows.plans import make_fire, make_plan
from tests.workflows.scripted import Gate
from tests.workflows.stand import Stand, names_of, wait_for
from workflows import turns
from workflows.messages import Settled


async def test_a_queued_trigger_waits_without_a_slot_until_it_is_released(stand: Stand) -> None:
    stand.ports.queued["a"] = 1
    handle = await stand.start_trigger()
    await wait_for(handle, "TIMER_STARTED")
    assert stand.ports.log == ["plan", "run a"]
    await handle.signal("released")
    await handle.result()
    assert stand.ports.log[1:] == ["run a", "run a", "finish completed"]


async def test_a_release_that_comes_while_it_asks_is_not_lost(stand: Stand) -> None:
    stand.ports.queued["a"] = 1
    gate = stand.ports.gates["a"] = Gate()
    handle = await stand.start_trigger()
    await gate.reached.wait()
    await handle.signal("released")
    gate.open()
    await handle.result()
    assert stand.ports.log[1:] == ["run a", "run a", "finish completed"]


async def test_a_queued_trigger_asks_again_when_nobody_tells_it(
    idle: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ASK_AGAIN", "ASK_RARELY"):
        monkeypatch.setattr(turns, name, timedelta(milliseconds=200))
    idle.ports.queued["a"] = 2
    async with idle.serving(UnsandboxedWorkflowRunner()):
        await idle.execute(make_plan("a"))
    assert idle.ports.log[1:] == ["run a"] * 3 + ["finish completed"]


def test_a_queued_trigger_asks_less_and_less() -> None:
    waits = [
        turns.patience("trigger/acme/often/1", asked) / timedelta(minutes=1) for asked in (*range(6), 1000)
    ]
    assert [
        0.75 * full < wait <= full for wait, full in zip(waits, (1, 2, 4, 8, 15, 15, 15), strict=True)
    ] == ([True] * 7)


def test_queued_triggers_ask_apart() -> None:
    assert len({turns.patience(f"trigger/acme/often/{number}", 0) for number in range(1000)}) > 990


async def test_every_root_stage_waits(stand: Stand) -> None:
    stand.ports.queued.update(a=1, b=1)
    stand.ports.plan = make_plan("a b")
    handle = await stand.start_trigger()
    await wait_for(handle, "TIMER_STARTED", 2)
    await handle.signal("released")
    await handle.result()
    assert sorted(stand.ports.log) == ["finish completed", "plan", *["run a"] * 2, *["run b"] * 2]


async def test_a_queued_trigger_asks_others_to_end(stand: Stand) -> None:
    handle = await scenarios._cancelling(stand)
    assert (await names_of(handle)).count("EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED") == 1
    assert [one.status for one in stand.ports.settlements] == ["cancelled", "completed"]


async def test_the_end_of_a_trigger_releases_the_one_that_waits(stand: Stand) -> None:
    handle = await scenarios._releasing(stand)
    names = await names_of(handle)
    assert sorted(name for name in names if "SIGNAL" in name and "INITIATED" not in name) == [
        "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED",
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED",
    ]


async def test_a_queued_trigger_whose_row_is_settled_meanwhile_ends(stand: Stand) -> None:
    stand.ports.queued["a"] = 1
    stand.ports.outcomes["a"] = "unclaimed"
    handle = await stand.start_trigger()
    await wait_for(handle, "TIMER_STARTED")
    await handle.signal("released")
    await handle.result()
    assert stand.ports.settlements == []


async def test_a_cancelled_trigger_releases_the_one_that_waits(stand: Stand) -> None:
    gate = stand.ports.gates["a"] = Gate()
    running = await stand.start_trigger()
    await gate.reached.wait()
    del stand.ports.gates["a"]
    stand.ports.queued["a"] = 1
    waiting = await stand.start_trigger(make_fire(stand.tenant, 2))
    await wait_for(waiting, "TIMER_STARTED")
    stand.ports.settled = Settled(release=(waiting.id,))
    await running.cancel()
    await waiting.result()
    assert [one.status for one in stand.ports.settlements] == ["cancelled", "completed"]
