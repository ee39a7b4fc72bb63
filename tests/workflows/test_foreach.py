import pytest
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner

from tests.workflows.plans import make_foreach, make_plan
from tests.workflows.scripted import Gate
from tests.workflows.stand import Stand, events_of, names_of, wait_for
from workflows import foreach


def each(at_once: int = 3, *, is_strict: bool = True) -> dict[str, object]:
    return make_foreach(at_once, is_strict=is_strict)


async def test_a_few_items_are_executed_in_the_triggers_own_workflow(stand: Stand) -> None:
    stand.ports.items["b"] = 5
    handle = await stand.execute(make_plan("a b c", "a b", "b c", b=each()))
    assert stand.ports.log[:3] == ["plan", "run a", "run b"]
    assert sorted(stand.ports.log[3:8]) == [f"run b/{number}" for number in range(5)]
    assert stand.ports.log[8:] == ["close b", "run c", "finish completed"]
    assert "START_CHILD_WORKFLOW_EXECUTION_INITIATED" not in await names_of(handle)


async def test_no_more_items_are_under_way_than_the_stage_allows(stand: Stand) -> None:
    stand.ports.items["a"] = 6
    gates = [Gate() for _ in range(6)]
    stand.ports.gates = {f"a/{number}": gate for number, gate in enumerate(gates)}
    stand.ports.plan = make_plan("a", a=each(2))
    handle = await stand.start_trigger()
    for number, gate in enumerate(gates):
        await gate.reached.wait()
        assert not any(later.reached.is_set() for later in gates[number + 2 :])
        gate.open()
    await handle.result()
    assert stand.ports.log[-2:] == ["close a", "finish completed"]


async def test_after_a_failed_item_no_other_begins(stand: Stand) -> None:
    stand.ports.items["a"] = 9
    stand.ports.outcomes = {"a/1": "failed"}
    await stand.execute(make_plan("a b", "a b", a=each(1)))
    assert stand.ports.log == ["plan", "run a", "run a/0", "run a/1", "close a", "finish failed"]
    assert (stand.ports.settlements[0].failed, stand.ports.settlements[0].skipped) == (("a",), ("b",))


async def test_a_failed_item_may_be_one_result_among_others(stand: Stand) -> None:
    stand.ports.items["a"] = 4
    stand.ports.outcomes = {"a/1": "failed"}
    await stand.execute(make_plan("a", a=each(is_strict=False)))
    assert [f"run a/{number}" in stand.ports.log for number in range(4)] == [True] * 4


async def test_items_of_pure_stages_are_local(stand: Stand) -> None:
    stand.ports.items["b"] = 3
    handle = await stand.execute(make_plan("a b", "a b", b={"is_pure": True, **each()}))
    assert stand.ports.log[2:-2] == ["run b", "pure b/0", "pure b/1", "pure b/2"]
    assert (await names_of(handle)).count("ACTIVITY_TASK_SCHEDULED") == 2


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every history holds thirty items."""
    monkeypatch.setattr(foreach, "IN_ONE_HISTORY", 30)


@pytest.mark.usefixtures("short")
async def test_many_items_are_executed_by_a_child_that_begins_anew(idle: Stand) -> None:
    idle.ports.items["a"] = 100
    async with idle.serving(UnsandboxedWorkflowRunner()):
        handle = await idle.execute(make_plan("a b", "a b", a=each(10)))
        child = idle.client.get_workflow_handle(f"{handle.id}/a")
        last = await events_of(child)
    ran = [line for line in idle.ports.log if line.startswith("run a/")]
    assert sorted(ran) == sorted(f"run a/{number}" for number in range(100))
    assert idle.ports.log[-3:] == ["close a", "run b", "finish completed"]
    assert last[0].workflow_execution_started_event_attributes.continued_execution_run_id
    assert len(await events_of(handle)) < 40


@pytest.mark.usefixtures("short")
async def test_a_failed_item_ends_the_child_as_well(idle: Stand) -> None:
    idle.ports.items["a"] = 100
    idle.ports.outcomes = {"a/40": "failed"}
    async with idle.serving(UnsandboxedWorkflowRunner()):
        await idle.execute(make_plan("a", a=each(1)))
    assert idle.ports.log[-3:] == ["run a/40", "close a", "finish failed"]


@pytest.mark.parametrize("count", [3, 60])
async def test_a_cancellation_reaches_the_items_and_leaves_their_stage_open(stand: Stand, count: int) -> None:
    stand.ports.items["a"] = count
    gates = {f"a/{number}": Gate() for number in range(count)}
    stand.ports.gates = dict(gates)
    stand.ports.plan = make_plan("a", a=each(2))
    handle = await stand.start_trigger()
    await gates["a/1"].reached.wait()
    await wait_for(handle, "WORKFLOW_TASK_COMPLETED", 2)
    await handle.cancel()
    await handle.result()
    assert sorted(stand.ports.log[-3:]) == ["cancelled a/0", "cancelled a/1", "finish cancelled"]
    assert stand.ports.settlements[0].stopped == ("a",)


@pytest.mark.parametrize("count", [3, 60])
async def test_an_item_that_cannot_be_executed_at_all_fails_the_trigger(stand: Stand, count: int) -> None:
    stand.ports.items["a"] = count
    stand.ports.outcomes = {"a/1": [ApplicationError("no way", non_retryable=True)]}
    await stand.execute(make_plan("a", a=each(1)))
    assert stand.ports.log == ["plan", "run a", "run a/0", "run a/1", "finish failed"]


async def test_a_root_that_waits_for_its_turn_opens_its_items_once_it_has_it(stand: Stand) -> None:
    stand.ports.queued["a"], stand.ports.items["a"] = 1, 1
    stand.ports.plan = make_plan("a", a=each())
    handle = await stand.start_trigger()
    await wait_for(handle, "TIMER_STARTED")
    await handle.signal("released")
    await handle.result()
    assert stand.ports.log == ["plan", "run a", "run a", "run a/0", "close a", "finish completed"]
    assert not stand.ports.stage_calls["a/0"].is_root
