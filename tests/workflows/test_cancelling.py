from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError

from tests.workflows.plans import make_fire, make_plan
from tests.workflows.scripted import Gate
from tests.workflows.stand import Stand, wait_for


async def test_cancelling_ends_the_running_stages_and_settles(stand: Stand) -> None:
    gate = stand.ports.gates["b"] = stand.ports.gates["c"] = Gate()
    stand.ports.plan = make_plan("a b c d", "a b", "a c", "b d", "c d")
    handle = await stand.start_trigger()
    await gate.reached.wait()
    await wait_for(handle, "ACTIVITY_TASK_SCHEDULED", 3)
    await handle.cancel()
    await handle.result()
    assert sorted(stand.ports.log[-3:]) == ["cancelled b", "cancelled c", "finish cancelled"]
    assert stand.ports.settlements[0].skipped == ("d",)


async def test_a_cancelled_trigger_waits_for_its_stages_to_clean_up(stand: Stand) -> None:
    stand.ports.gates["a"] = Gate()
    stand.ports.plan = make_plan("a")
    handle = await stand.start_trigger()
    await stand.ports.gates["a"].reached.wait()
    await handle.cancel()
    await handle.result()
    assert stand.ports.log == ["plan", "run a", "cancelled a", "finish cancelled"]


async def test_a_trigger_that_is_being_settled_cannot_be_cancelled(stand: Stand) -> None:
    gate = stand.ports.gates["finish"] = Gate()
    stand.ports.plan = make_plan("a")
    handle = await stand.start_trigger()
    await gate.reached.wait()
    await handle.cancel()
    # The local activity keeps its workflow task alive: the next one carries the news.
    await wait_for(handle, "WORKFLOW_TASK_STARTED", 4)
    gate.open()
    await handle.result()
    assert [one.status for one in stand.ports.settlements] == ["completed"]


async def test_a_trigger_cancelled_in_its_sleep_settles_nothing(stand: Stand) -> None:
    handle = await stand.start_trigger(
        make_fire(stand.tenant, hold_from=datetime.now(UTC) + timedelta(hours=1))
    )
    await wait_for(handle, "TIMER_STARTED")
    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, CancelledError)
    assert stand.ports.log == ["plan"]
