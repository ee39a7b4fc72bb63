from datetime import UTC, datetime, timedelta

import pytest
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from tests.workflows.plans import make_chain, make_fire, make_plan
from tests.workflows.stand import Stand, events_of, names_of
from workflows.messages import Settlement, StageCall
from workflows.remote import SLACK

DIAMOND = make_plan("a b c d", "a b", "a c", "b d", "c d", d={"join": "all"})


async def test_stages_follow_one_another_and_the_ledger_is_settled(stand: Stand) -> None:
    handle = await stand.execute(make_chain(3))
    assert stand.ports.log == ["plan", "run s0", "run s1", "run s2", "finish completed"]
    fire = make_fire(stand.tenant, due=stand.ports.settlements[0].fire.due)
    expected = Settlement(fire=fire, run_id=handle.result_run_id or "", status="completed")
    assert stand.ports.settlements == [expected]


@pytest.mark.parametrize("runner", [SandboxedWorkflowRunner(), UnsandboxedWorkflowRunner()])
async def test_a_diamond_joins_in_the_sandbox_and_as_in_production(
    idle: Stand, runner: WorkflowRunner
) -> None:
    async with idle.serving(runner):
        await idle.execute(DIAMOND)
    assert idle.ports.log[:2] == ["plan", "run a"]
    assert sorted(idle.ports.log[2:4]) == ["run b", "run c"]
    assert idle.ports.log[4:] == ["run d", "finish completed"]


async def test_a_stage_is_told_its_trigger_and_the_connectors_that_fired(stand: Stand) -> None:
    stand.ports.dead = frozenset({1})
    fire = make_fire(stand.tenant)
    handle = await stand.execute(make_plan("a b c", "a c", "b c"), fire)
    run_id = handle.result_run_id or ""
    assert stand.ports.stage_calls == {
        "a": StageCall(fire=fire, stage_id="a", run_id=run_id, is_root=True),
        "b": StageCall(fire=fire, stage_id="b", run_id=run_id, is_root=True),
        "c": StageCall(fire=fire, stage_id="c", run_id=run_id, incoming=(0,)),
    }


async def test_pure_stages_are_local_except_at_the_root(stand: Stand) -> None:
    handle = await stand.execute(make_chain(3, is_pure=True))
    assert stand.ports.log == ["plan", "run s0", "pure s1", "pure s2", "finish completed"]
    assert (await names_of(handle)).count("ACTIVITY_TASK_SCHEDULED") == 1


@pytest.mark.parametrize(("stages", "most"), [(1, 13), (2, 19), (4, 31)])
async def test_a_trigger_writes_13_events_and_6_for_each_further_stage(
    stand: Stand, stages: int, most: int
) -> None:
    handle = await stand.execute(make_chain(stages))
    assert len(await events_of(handle)) == most


async def test_an_operator_sees_stage_ids(stand: Stand) -> None:
    handle = await stand.execute(make_plan("fetch store", "fetch store"))
    summaries = [event.user_metadata.summary.data for event in await events_of(handle)]
    assert [text for text in summaries if text] == [b'"fetch"', b'"store"']


async def test_a_fire_allocated_long_ahead_sleeps_before_it_is_held(stand: Stand) -> None:
    hold_from = datetime.now(UTC) + timedelta(seconds=1)
    handle = await stand.execute(make_plan("a"), make_fire(stand.tenant, hold_from=hold_from))
    (scheduled,) = [
        one for one in await events_of(handle) if one.activity_task_scheduled_event_attributes.activity_id
    ]
    assert scheduled.event_time.ToDatetime(UTC) >= hold_from
    assert (await names_of(handle)).count("TIMER_FIRED") == 1


async def test_a_hold_is_not_counted_as_the_stages_time(stand: Stand) -> None:
    due = datetime.now(UTC) + timedelta(seconds=40)
    handle = await stand.execute(make_plan("a b", "a b"), make_fire(stand.tenant, due=due))
    limits = [
        event.activity_task_scheduled_event_attributes.start_to_close_timeout.ToTimedelta()
        for event in await events_of(handle)
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    own = timedelta(seconds=60) + SLACK
    assert own + timedelta(seconds=30) < limits[0] <= own + timedelta(seconds=40)
    assert limits[1] == own


async def test_two_hundred_stages_side_by_side_are_joined(stand: Stand) -> None:
    names = [f"s{index}" for index in range(198)]
    edges = [edge for name in names for edge in (f"a {name}", f"{name} z")]
    await stand.execute(make_plan(" ".join(["a", *names, "z"]), *edges, z={"join": "all"}))
    assert stand.ports.log[-2:] == ["run z", "finish completed"]
    assert sorted(stand.ports.stage_calls) == sorted(["a", *names, "z"])
