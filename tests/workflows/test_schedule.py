from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from cronny.names import SEARCH_ACTION, SEARCH_SCHEDULE, SEARCH_TENANT, tenant_queue
from tests.workflows.plans import give, in_an_hour, make_fire
from tests.workflows.scripted import Gate
from tests.workflows.stand import Stand, events_of, names_of, wait_for
from workflows.messages import AllocateCall, ScheduleRef
from workflows.schedule import WAKES, Schedule

ENDS = {"terminate": "TERMINATED", "cancel": "CANCELED"}


@pytest.mark.parametrize("runner", [SandboxedWorkflowRunner(), UnsandboxedWorkflowRunner()])
async def test_each_fire_becomes_a_trigger_on_the_tenants_queue(idle: Stand, runner: WorkflowRunner) -> None:
    fires = [make_fire(idle.tenant, number) for number in (1, 2)]
    idle.ports.allocations = [give(*fires)]
    async with idle.serving(runner):
        await (await idle.start_schedule()).result()
        for fire in fires:
            await idle.client.get_workflow_handle(fire.workflow_id).result()
    ended = [one.fire for one in idle.ports.settlements]
    assert sorted(ended, key=lambda fire: fire.number) == fires


async def test_an_operator_finds_a_trigger_by_tenant_action_and_schedule(stand: Stand) -> None:
    fire = make_fire(stand.tenant, due=datetime(2026, 11, 24, 9, tzinfo=UTC))
    stand.ports.allocations = [give(fire)]
    await (await stand.start_schedule()).result()
    seen = await stand.client.get_workflow_handle(fire.workflow_id).describe()
    found = {pair.key.name: pair.value for pair in seen.typed_search_attributes}
    given = {SEARCH_TENANT: stand.tenant, SEARCH_ACTION: "check_orders", SEARCH_SCHEDULE: "hourly"}
    assert given.items() <= found.items()
    assert await seen.static_summary() == "check_orders v3, due 2026-11-24T09:00:00+00:00"
    assert (seen.task_queue, seen.workflow_type) == (tenant_queue(stand.tenant), "trigger")
    assert seen.raw_info.priority.fairness_key == stand.tenant


async def test_a_priority_is_the_triggers_and_that_of_its_stages(stand: Stand) -> None:
    fire = make_fire(stand.tenant, priority=1)
    stand.ports.allocations = [give(fire)]
    await (await stand.start_schedule()).result()
    handle = stand.client.get_workflow_handle(fire.workflow_id)
    await handle.result()
    assert (await handle.describe()).raw_info.priority.priority_key == 1
    assert set(stand.ports.priorities) == {(1, stand.tenant)}


async def test_a_fire_asked_for_by_hand_has_no_schedule_to_be_found_by(stand: Stand) -> None:
    fire = make_fire(stand.tenant, schedule="")
    stand.ports.allocations = [give(fire)]
    await (await stand.start_schedule()).result()
    seen = await stand.client.get_workflow_handle(fire.workflow_id).describe()
    assert SEARCH_SCHEDULE not in {pair.key.name for pair in seen.typed_search_attributes}


async def test_a_schedule_sleeps_until_its_wake(stand: Stand) -> None:
    wake = datetime.now(UTC) + timedelta(seconds=1.5)
    stand.ports.allocations = [give(wake=wake), give()]
    handle = await stand.start_schedule()
    fired = await wait_for(handle, "TIMER_FIRED")
    await handle.result()
    assert timedelta() <= fired.event_time.ToDatetime(UTC) - wake < timedelta(seconds=1)
    assert len(stand.ports.allocate_calls) == 2


async def test_a_change_wakes_a_sleeping_schedule(stand: Stand) -> None:
    stand.ports.allocations = [give(wake=in_an_hour()), give()]
    handle = await stand.start_schedule()
    await wait_for(handle, "TIMER_STARTED")
    await handle.signal(Schedule.changed)
    await handle.result()
    assert (await names_of(handle)).count("TIMER_CANCELED") == 1


@pytest.mark.parametrize("wake", [None, datetime(2100, 1, 1, tzinfo=UTC)])
async def test_a_change_during_the_allocation_is_not_lost(stand: Stand, wake: datetime | None) -> None:
    gate = stand.ports.gates["allocate"] = Gate()
    stand.ports.allocations = [give(wake=wake), give()]
    handle = await stand.start_schedule()
    await gate.reached.wait()
    await handle.signal(Schedule.changed)
    gate.open()
    await handle.result()
    assert len(stand.ports.allocate_calls) == 2


async def test_a_change_and_a_wake_that_nobody_saw_are_both_served(idle: Stand) -> None:
    idle.ports.allocations = [give(wake=datetime.now(UTC) + timedelta(seconds=1)), give()]
    async with idle.serving():
        handle = await idle.start_schedule()
        await wait_for(handle, "TIMER_STARTED")
    await wait_for(handle, "TIMER_FIRED")
    await handle.signal(Schedule.changed)
    async with idle.serving():
        await handle.result()
    assert len(idle.ports.allocate_calls) == 2


@pytest.mark.parametrize(("generation", "days"), [(1, 2), (2, 1)])
async def test_the_latest_due_of_a_generation_is_told(stand: Stand, generation: int, days: int) -> None:
    """A fire that is caught up on must not make later ones be handed out again."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    later, earlier = [make_fire(stand.tenant, n, due=first + timedelta(days=n)) for n in (2, 1)]
    soon = datetime.now(UTC)
    stand.ports.allocations = [
        give(later, wake=soon),
        give(earlier, wake=soon, generation=generation),
        give(),
    ]
    await (await stand.start_schedule()).result()
    told = [(call.generation, call.spawned) for call in stand.ports.allocate_calls]
    assert told == [(0, None), (1, later.due), (generation, first + timedelta(days=days))]


async def test_a_schedule_without_a_wake_ends(stand: Stand) -> None:
    stand.ports.allocations = [give()]
    handle = await stand.start_schedule()
    await handle.result()
    assert (await names_of(handle))[-2:] == ["MARKER_RECORDED", "WORKFLOW_EXECUTION_COMPLETED"]


async def test_a_failing_allocation_is_tried_again(stand: Stand) -> None:
    stand.ports.allocations = [ConnectionError("the database is away"), give()]
    await (await stand.start_schedule()).result()
    assert len(stand.ports.allocate_calls) == 2


async def test_a_wake_in_the_past_does_not_spin(stand: Stand) -> None:
    """As when the database's host is a little behind Temporal's."""
    stand.ports.allocations = [give(wake=datetime.now(UTC) - timedelta(hours=1)), give()]
    handle = await stand.start_schedule()
    await handle.result()
    assert (await names_of(handle)).count("TIMER_FIRED") == 1


async def test_allocations_that_keep_failing_leave_the_workers_tasks_to_others(idle: Stand) -> None:
    """Their second delay is a timer; a try in the workflow task itself would keep the task."""

    async def refuse(call: AllocateCall) -> None:
        if call.schedule.schedule_id != "sch_three" and activity.info().attempt <= 4:
            raise ValueError("this rule cannot be compiled")

    idle.ports.on_allocate, idle.ports.allocations = refuse, [give()]
    async with idle.serving(max_concurrent_workflow_tasks=3, max_cached_workflows=10):
        stuck = [await idle.start_schedule(name) for name in ("one", "two")]
        for handle in stuck:
            await wait_for(handle, "TIMER_STARTED")
        await (await idle.start_schedule("three")).result()
    assert [(await handle.describe()).status for handle in stuck] == [WorkflowExecutionStatus.RUNNING] * 2


async def test_a_trigger_that_exists_already_is_no_error(stand: Stand) -> None:
    fire = make_fire(stand.tenant)
    gate = stand.ports.gates["a"] = Gate()
    trigger = await stand.start_trigger(fire)
    stand.ports.allocations = [give(fire)]
    await (await stand.start_schedule()).result()
    gate.open()
    await trigger.result()
    assert stand.ports.log == ["plan", "run a", "finish completed"]


async def _end(schedule: WorkflowHandle[Any, Any], way: str) -> None:
    await (schedule.terminate() if way == "terminate" else schedule.cancel())


@pytest.mark.parametrize("way", ENDS)
async def test_ending_a_schedule_leaves_its_triggers_executing(stand: Stand, way: str) -> None:
    fire = make_fire(stand.tenant)
    gate = stand.ports.gates["a"] = Gate()
    stand.ports.allocations = [give(fire, wake=in_an_hour())]
    schedule = await stand.start_schedule()
    await wait_for(schedule, "TIMER_STARTED")
    await gate.reached.wait()
    await _end(schedule, way)
    await wait_for(schedule, f"WORKFLOW_EXECUTION_{ENDS[way]}")
    gate.open()
    await stand.client.get_workflow_handle(fire.workflow_id).result()
    assert stand.ports.log == ["plan", "run a", "finish completed"]


async def test_a_schedule_writes_at_most_15_events_a_fire(stand: Stand) -> None:
    fires = [make_fire(stand.tenant, number) for number in (1, 2, 3)]
    soon = datetime.now(UTC) + timedelta(seconds=1)
    stand.ports.allocations = [*[give(fire, wake=soon) for fire in fires], give()]
    handle = await stand.start_schedule()
    await handle.result()
    empty = 6  # start, workflow task, last allocation, end
    assert len(await events_of(handle)) <= empty + 15 * len(fires)


@pytest.fixture
async def first_run(stand: Stand) -> WorkflowHandle[Any, Any]:
    """A run that ended after ten allocations."""

    async def change(_: AllocateCall) -> None:
        await stand.client.get_workflow_handle(f"schedule/{stand.tenant}/hourly").signal("changed")

    fire = make_fire(stand.tenant)
    stand.ports.on_allocate = change
    stand.ports.allocations = [give(fire, wake=in_an_hour(), generation=7)]
    stand.ports.allocations += [give(wake=in_an_hour(), generation=7)] * WAKES
    handle = await stand.start_schedule()
    first = stand.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    await wait_for(first, "WORKFLOW_EXECUTION_CONTINUED_AS_NEW")
    return first


async def test_after_ten_allocations_the_position_is_carried_on(
    stand: Stand, first_run: WorkflowHandle[Any, Any]
) -> None:
    last = (await events_of(first_run))[-1].workflow_execution_continued_as_new_event_attributes
    (carried,) = await stand.client.data_converter.decode(last.input.payloads, [AllocateCall])
    due = stand.ports.settlements[0].fire.due
    ref = ScheduleRef(tenant=stand.tenant, schedule_id="sch_hourly")
    assert carried == AllocateCall(schedule=ref, generation=7, spawned=due)


async def test_an_operator_still_finds_a_schedule_that_continued_as_new(
    stand: Stand, first_run: WorkflowHandle[Any, Any]
) -> None:
    seen = await stand.client.get_workflow_handle(f"schedule/{stand.tenant}/hourly").describe()
    assert seen.run_id != first_run.run_id
    assert seen.status is WorkflowExecutionStatus.RUNNING
    found = {pair.key.name: pair.value for pair in seen.typed_search_attributes}
    assert (found[SEARCH_TENANT], found[SEARCH_SCHEDULE]) == (stand.tenant, "hourly")
    assert seen.raw_info.priority.fairness_key == stand.tenant
