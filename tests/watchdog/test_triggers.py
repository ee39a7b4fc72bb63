import asyncio
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from cronny.names import tenant_queue
from cronny.repairs import GIVEN_UP
from cronny.store.tables import StageRow, StageState, TriggerState
from cronny.temporal.diagnosis import TRIES
from tests.store.samples import MINUTE, NOW, SECOND, add, executing, stage_records
from tests.watchdog.kennel import LATER, Kennel
from tests.workflows.stand import wait_for
from workflows.messages import Fire

RUNNING, TERMINATED = WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.TERMINATED


@workflow.defn(name="trigger")
class BrokenTrigger:
    """A trigger's workflow in a release that cannot execute it."""

    @workflow.run
    async def run(self, fire: Fire) -> None:
        raise RuntimeError("not in this release")


async def about_triggers(kennel: Kennel) -> list[tuple[str, str]]:
    return [event for event in await kennel.events() if event[0].startswith("trigger")]


async def test_a_trigger_without_a_workflow_gets_one(kennel: Kennel) -> None:
    row = await kennel.add_trigger()
    await kennel.round(LATER)
    assert await kennel.status(row) is RUNNING
    assert await about_triggers(kennel) == [("trigger_started", "Temporal does not know its workflow")]
    assert kennel.repairs("trigger_started") == 1


async def test_a_trigger_whose_workflow_was_terminated_gets_another(kennel: Kennel) -> None:
    row = await kennel.add_trigger()
    await (await kennel.start(row)).terminate()
    await kennel.round(LATER)
    assert await kennel.status(row) is RUNNING
    assert await about_triggers(kennel) == [("trigger_started", "its workflow was terminated")]


async def test_a_trigger_that_no_worker_takes_is_explained_once(kennel: Kennel) -> None:
    for number in range(3):
        await kennel.start(await kennel.add_trigger(NOW + number * SECOND))
    await kennel.round(LATER)
    await kennel.round(LATER + 5 * MINUTE)
    assert await about_triggers(kennel) == [("trigger_stuck", "no worker takes its workflow task")]


async def test_a_trigger_whose_plan_is_broken_for_good_fails(kennel: Kennel) -> None:
    kennel.stand.ports.poison = ApplicationError("no such action", non_retryable=True)
    row = await kennel.add_trigger()
    async with kennel.stand.serving():
        await wait_for(await kennel.start(row), "WORKFLOW_EXECUTION_FAILED")
    await kennel.round(LATER)
    settled = await kennel.row()
    assert (settled.state, settled.reason) == (TriggerState.FAILED, "workflow_failed")
    assert settled.error == {"code": "internal", "message": "its workflow failed: no such action"}
    assert await about_triggers(kennel) == [("trigger_given_up", "its workflow failed: no such action")]


async def test_a_trigger_whose_plan_cannot_be_loaded_is_explained_and_given_up(kennel: Kennel) -> None:
    kennel.stand.ports.poison = ApplicationError("unreadable")
    row = await kennel.add_trigger()
    async with kennel.stand.serving():
        await wait_for(await kennel.start(row), "MARKER_RECORDED", 3)
        await kennel.round(LATER)
        assert (await kennel.row()).state is TriggerState.SCHEDULED
        await kennel.round(NOW + GIVEN_UP + SECOND)
    why = "a step of its workflow fails: unreadable"
    assert await about_triggers(kennel) == [("trigger_stuck", why), ("trigger_given_up", why)]
    assert (await kennel.row()).state is TriggerState.FAILED
    assert await kennel.status(row) is TERMINATED


async def test_a_trigger_whose_workflow_task_fails_is_explained(kennel: Kennel) -> None:
    row = await kennel.add_trigger()
    queue, runner = tenant_queue(kennel.stand.tenant), UnsandboxedWorkflowRunner()
    async with Worker(
        kennel.stand.client, task_queue=queue, workflows=[BrokenTrigger], workflow_runner=runner
    ):
        handle = await kennel.start(row)
        async with asyncio.timeout(30):
            while (await handle.describe()).raw_description.pending_workflow_task.attempt < TRIES:
                pass
        await kennel.round(LATER)
    assert await about_triggers(kennel) == [("trigger_stuck", "its workflow task fails: not in this release")]


async def test_a_trigger_that_waits_for_others_is_left_alone(kennel: Kennel) -> None:
    kennel.stand.ports.outcomes["a"] = "queued"
    row = await kennel.add_trigger(reason="queued")
    async with kennel.stand.serving():
        await wait_for(await kennel.start(row), "TIMER_STARTED")
        await kennel.round(NOW + GIVEN_UP + SECOND)
    assert (await kennel.row()).state is TriggerState.SCHEDULED
    assert await about_triggers(kennel) == []


@pytest.mark.parametrize("late", [timedelta(seconds=20), timedelta(days=1)])
async def test_a_lost_trigger_is_settled_with_its_stages(kennel: Kennel, late: timedelta) -> None:
    row = executing(kennel.owner, workflow_id="trigger/gone", run_id="0198c5a0-0000-7000-8000-000000000000")
    await add(
        kennel.database,
        row,
        StageRow(trigger_id=row.id, stage_id="a", state=StageState.STARTED, started_at=NOW),
    )
    await kennel.round(NOW + late + SECOND)
    assert ((await kennel.row()).state, (await kennel.row()).reason) == (TriggerState.FAILED, "workflow_lost")
    assert [stage.state for stage in await stage_records(kennel.database)] == [StageState.FAILED]
    assert (await about_triggers(kennel), kennel.repairs("trigger_lost")) == ([("trigger_lost", "")], 1)
