from temporalio.client import WorkflowExecutionStatus

from tests.store.samples import MINUTE, SECOND
from tests.watchdog.kennel import LATER, Kennel
from tests.workflows.stand import names_of


async def test_a_schedule_whose_change_was_not_read_gets_its_workflow(kennel: Kennel) -> None:
    await kennel.round(LATER)
    assert (await kennel.schedule.describe()).status is WorkflowExecutionStatus.RUNNING
    assert (await kennel.events(), kennel.repairs("schedule_woken")) == ([("schedule_woken", "")], 1)


async def test_a_terminated_workflow_is_started_again(kennel: Kennel) -> None:
    await kennel.round(LATER)
    await kennel.schedule.terminate()
    await kennel.round(LATER + 10 * SECOND)
    assert (await kennel.schedule.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_a_workflow_that_sleeps_too_long_is_signalled(kennel: Kennel) -> None:
    await kennel.round(LATER)
    first = (await kennel.schedule.describe()).run_id
    await kennel.round(LATER + 10 * SECOND)
    assert (await names_of(kennel.schedule)).count("WORKFLOW_EXECUTION_SIGNALED") == 2
    assert (await kennel.schedule.describe()).run_id == first


async def test_a_workflow_that_does_not_wake_is_replaced(kennel: Kennel) -> None:
    for late in (0, 10, 30):
        await kennel.round(LATER + late * SECOND)
    assert "WORKFLOW_EXECUTION_SIGNALED" not in await names_of(kennel.schedule)  # another run than before
    assert (await kennel.schedule.describe()).status is WorkflowExecutionStatus.RUNNING
    kinds = [kind for kind, _ in await kennel.events()]
    assert kinds == ["schedule_woken", "schedule_woken", "schedule_replaced"]


async def test_a_repair_is_left_alone_for_longer_and_longer(kennel: Kennel) -> None:
    for late in range(0, 300, 5):
        await kennel.round(LATER + late * SECOND)
    assert len(await kennel.events()) == 5  # after 0, 10, 30, 70 and 150 seconds


async def test_a_clock_that_was_set_back_delays_no_repair(kennel: Kennel) -> None:
    await kennel.round(LATER + 60 * MINUTE)
    await kennel.round(LATER)
    assert len(await kennel.events()) == 2
