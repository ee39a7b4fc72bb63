"""Nothing that was decided stays unheard, and nothing waits on whose trigger has ended."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cronny.store.tables import EventKind, EventRow, TriggerRow, TriggerState
from cronny.store.wait_tables import WaitRow
from tests.store.samples import NOW
from tests.watchdog.kennel import LATER, Kennel
from tests.workflows.plans import make_plan
from tests.workflows.stand import wait_for
from workflows.messages import StageResult

HOUR = timedelta(hours=1)


@pytest.fixture
async def waiting(kennel: Kennel) -> AsyncIterator[Kennel]:
    """A trigger whose only stage waits for an hour."""
    result = StageResult(status="waiting", wake=LATER + timedelta(days=3650))
    kennel.stand.ports.waiting["a"] = [result]
    kennel.stand.ports.plan = make_plan("a", a={"is_waiting": True})
    async with kennel.stand.serving():
        yield kennel


async def add_wait(kennel: Kennel, row: TriggerRow, **fields: Any) -> str:
    async with kennel.database.write() as session:
        wait = WaitRow(
            id="wat_1", tenant_id=row.tenant_id, trigger_id=row.id, stage_id="a", kind="approval",
            workflow_id=row.workflow_id, opened_at=NOW, until=NOW + HOUR, **fields,
        )  # fmt: skip
        session.add(wait)
    return wait.id


async def executing(kennel: Kennel) -> TriggerRow:
    row = await kennel.add_trigger()
    handle = await kennel.start(row)
    await wait_for(handle, "TIMER_STARTED")
    async with kennel.database.write() as session:
        found = await session.get_one(TriggerRow, row.id)
        found.state, found.started_at = TriggerState.EXECUTING, NOW
        found.run_id = (await handle.describe()).run_id or ""
    return row


async def closed(kennel: Kennel) -> bool:
    async with kennel.database.read() as session:
        return (await session.get_one(WaitRow, "wat_1")).closed_at is not None


async def test_a_queued_trigger_that_nobody_has_told_is_told(kennel: Kennel) -> None:
    kennel.stand.ports.queued["a"] = 1
    async with kennel.stand.serving():
        row = await kennel.add_trigger(is_guarded=True, reason="concurrency", concurrency_key="")
        handle = await kennel.start(row)
        await wait_for(handle, "TIMER_STARTED")
        await kennel.round(LATER + timedelta(seconds=1))
        await handle.result()
    assert kennel.stand.ports.log[1:] == ["run a", "run a", "finish completed"]


async def test_a_trigger_that_has_not_heard_of_its_answer_is_told(waiting: Kennel) -> None:
    row = await executing(waiting)
    await add_wait(waiting, row, answered_at=NOW)
    await waiting.round(LATER)
    await waiting.workflow(row).result()
    assert waiting.stand.ports.log == ["plan", "run a", "pure a", "finish completed"]


async def test_a_timer_that_vanished_is_made_up_for(waiting: Kennel) -> None:
    row = await executing(waiting)
    await add_wait(waiting, row)
    await waiting.round(NOW + HOUR + timedelta(seconds=10))
    await waiting.workflow(row).result()
    assert waiting.stand.ports.log[-1] == "finish completed"


async def test_a_trigger_that_waits_in_time_is_left_alone(waiting: Kennel) -> None:
    row = await executing(waiting)
    await add_wait(waiting, row)
    await waiting.round(LATER)
    assert (await waiting.status(row), waiting.stand.ports.log) == (1, ["plan", "run a"])


async def test_it_is_not_told_with_every_round(waiting: Kennel) -> None:
    waiting.stand.ports.waiting["a"] *= 3
    row = await executing(waiting)
    await add_wait(waiting, row, answered_at=NOW)
    for seconds in range(0, 30, 5):
        await waiting.round(LATER + timedelta(seconds=seconds))
    history = await waiting.workflow(row).fetch_history()
    signals = [
        event for event in history.events if event.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert len(signals) == 2


async def test_the_wait_of_a_trigger_that_ended_is_withdrawn(kennel: Kennel) -> None:
    row = await kennel.add_trigger(state=TriggerState.CANCELLED, finished_at=NOW)
    await add_wait(kennel, row)
    await kennel.round(LATER)
    async with kennel.database.read() as session:
        kinds = [event.kind for event in (await session.execute(select(EventRow))).scalars()]
    assert (await closed(kennel), EventKind.APPROVAL_WITHDRAWN in kinds) == (True, True)


async def test_what_an_ended_trigger_had_asked_for_is_cancelled(kennel: Kennel) -> None:
    row = await kennel.add_trigger(state=TriggerState.FAILED, finished_at=NOW)
    child = await kennel.add_trigger(LATER + HOUR)
    await add_wait(kennel, row, child_id=child.id)
    await kennel.round(LATER)
    async with kennel.database.read() as session:
        found = await session.get_one(TriggerRow, child.id)
    assert (found.state, found.reason, await closed(kennel)) == (
        TriggerState.CANCELLED,
        "parent_ended",
        True,
    )
