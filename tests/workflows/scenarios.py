"""What is recorded: each scenario drives a workflow along one path and gives its handle, ended."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import WorkflowHandle

from cronny.names import check_workflow, tenant_queue
from dsl.plan import Plan
from tests.workflows.graph_scenarios import GRAPH_SCENARIOS
from tests.workflows.plans import give, in_an_hour, make_chain, make_fire, make_foreach, make_plan
from tests.workflows.scripted import Gate
from tests.workflows.stand import Stand, wait_for
from workflows.checking import ConnectionCheck
from workflows.messages import AllocateCall, CheckCall, Execution, Settled, StageResult, StageStatus
from workflows.schedule import WAKES

Handle = WorkflowHandle[Any, Any]
Scenario = Callable[[Stand], Awaitable[Handle]]


def _executed(plan: Plan, **outcomes: StageStatus) -> Scenario:
    async def scenario(stand: Stand) -> Handle:
        stand.ports.outcomes.update(outcomes)
        return await stand.execute(plan)

    return scenario


async def _branch_and_join(stand: Stand) -> Handle:
    stand.ports.dead = frozenset({1})
    edges = ("a b", "a c", "a d", "b e", "c e", "d f", "e f")
    return await stand.execute(make_plan("a b c d e f", *edges, f={"join": "all"}))


async def _failing_port(stand: Stand) -> Handle:
    stand.ports.outcomes["b"] = [ConnectionError("away")] * 2  # the second delay is a timer
    return await stand.execute(make_plan("a b", "a b", b={"is_pure": True}))


async def _held_by_timer(stand: Stand) -> Handle:
    hold_from = datetime.now(UTC) + timedelta(seconds=1)
    return await stand.execute(make_plan("a"), make_fire(stand.tenant, hold_from=hold_from))


async def _cancelled(stand: Stand) -> Handle:
    gate = stand.ports.gates["b"] = stand.ports.gates["c"] = Gate()
    stand.ports.plan = make_plan("a b c d", "a b", "a c", "b d", "c d")
    handle = await stand.start_trigger()
    await gate.reached.wait()
    await handle.cancel()
    await handle.result()
    return handle


async def _unclaimed_sibling(stand: Stand) -> Handle:
    stand.ports.outcomes["a"] = "unclaimed"
    stand.ports.gates["b"] = Gate()
    return await stand.execute(make_plan("a b"))


async def _wakes(stand: Stand) -> Handle:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    fires = [make_fire(stand.tenant, number) for number in range(1, 5)]
    stand.ports.allocations = [give(*fires[:2], wake=soon), give(*fires[2:], wake=in_an_hour()), give()]
    handle = await stand.start_schedule()
    await wait_for(handle, "TIMER_STARTED", 2)
    await handle.signal("changed")
    await handle.result()
    return handle


async def _continued(stand: Stand) -> Handle:
    async def change(_: AllocateCall) -> None:
        await stand.client.get_workflow_handle(f"schedule/{stand.tenant}/hourly").signal("changed")

    stand.ports.on_allocate = change
    stand.ports.allocations = [
        give(make_fire(stand.tenant, number), wake=in_an_hour()) for number in range(WAKES)
    ]
    stand.ports.allocations.append(give(wake=in_an_hour()))
    handle = await stand.start_schedule()
    first = stand.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
    await wait_for(first, "WORKFLOW_EXECUTION_CONTINUED_AS_NEW")
    return first


async def _trigger_exists(stand: Stand) -> Handle:
    fire = make_fire(stand.tenant)
    stand.ports.gates["a"] = Gate()
    await stand.start_trigger(fire)
    stand.ports.allocations = [give(fire)]
    handle = await stand.start_schedule()
    await handle.result()
    stand.ports.gates["a"].open()
    return handle


async def _queued(stand: Stand) -> Handle:
    stand.ports.queued["a"] = 1
    handle = await stand.start_trigger()
    await wait_for(handle, "TIMER_STARTED")
    await handle.signal("released")
    await handle.result()
    return handle


async def _cancelling(stand: Stand) -> Handle:
    """One of the two it asks to end has ended by itself."""
    gate = stand.ports.gates["a"] = Gate()
    running = await stand.start_trigger()
    await gate.reached.wait()
    del stand.ports.gates["a"]
    found = Execution(workflow_id=running.id, run_id=running.first_execution_run_id or "")
    stand.ports.cancel = (found, Execution(workflow_id="trigger/gone", run_id=found.run_id))
    stand.ports.queued["a"] = 1
    handle = await stand.start_trigger(make_fire(stand.tenant, 2))
    await running.result()
    await handle.signal("released")
    await handle.result()
    return handle


async def _releasing(stand: Stand) -> Handle:
    """It tells one that waits, and one that is gone."""
    stand.ports.queued["a"] = 1
    waiting = await stand.start_trigger(make_fire(stand.tenant, 2))
    await wait_for(waiting, "TIMER_STARTED")
    stand.ports.settled = Settled(release=(waiting.id, "trigger/gone"))
    handle = await stand.execute(make_plan("a"))
    stand.ports.settled = None
    await waiting.result()
    return handle


async def _checked(stand: Stand) -> Handle:
    call = CheckCall(tenant=stand.tenant, connection_id="con_1", connection="team")
    name, queue = check_workflow(stand.tenant, "team"), tenant_queue(stand.tenant)
    handle = await stand.client.start_workflow(ConnectionCheck.run, call, id=name, task_queue=queue)
    await handle.result()
    return handle


def _waiting(wake: timedelta, **fields: Any) -> StageResult:
    return StageResult(status="waiting", wake=datetime.now(UTC) + wake, **fields)


async def _waits(stand: Stand) -> Handle:
    """A root that waits, is reminded by a timer and answered by a signal; then one that waits for a while."""
    hour, soon = timedelta(hours=1), timedelta(seconds=1)
    stand.ports.waiting["a"] = [
        _waiting(soon, early=(0,), fired=(0,)),
        _waiting(hour, early=(0, 1), fired=(0, 1)),
    ]
    stand.ports.waiting["d"] = [_waiting(soon)]
    stand.ports.plan = WAITING
    handle = await stand.start_trigger()
    await wait_for(handle, "TIMER_STARTED", 2)
    await handle.signal("released")
    await handle.result()
    return handle


async def _waits_cancelled(stand: Stand) -> Handle:
    stand.ports.waiting["a"] = [_waiting(timedelta(hours=1), early=(0,))]
    stand.ports.plan = WAITING
    handle = await stand.start_trigger()
    await wait_for(handle, "TIMER_STARTED")
    await handle.cancel()
    await handle.result()
    return handle


async def _waits_in_vain(stand: Stand) -> Handle:
    """Another stage fails meanwhile, and nothing handles that."""
    stand.ports.waiting["a"] = [_waiting(timedelta(hours=1), early=(0,), fired=(0,))]
    stand.ports.outcomes["b"] = "failed"
    return await stand.execute(WAITING)


async def _items_wait(stand: Stand) -> Handle:
    """Of three items one waits for a moment and one for a signal."""
    stand.ports.items["a"] = 3
    stand.ports.waiting["a/0"] = [_waiting(timedelta(seconds=1))]
    stand.ports.waiting["a/1"] = [_waiting(timedelta(hours=1))]
    stand.ports.plan = make_plan("a", a={**WAITS, **make_foreach()})
    handle = await stand.start_trigger()
    await wait_for(handle, "TIMER_FIRED")
    await handle.signal("released")
    await handle.result()
    return handle


WAITS = {"is_waiting": True}
WAITING = make_plan("a b c d", "a b waiting", "a c reminder", "a d", a=WAITS, d=WAITS)
HANDLED = make_plan("a b c", "a b", "a c error")

SCENARIOS: Mapping[str, Scenario] = {
    "schedule-wakes": _wakes,
    "schedule-continued": _continued,
    "schedule-trigger-exists": _trigger_exists,
    "check-once": _checked,
    "trigger-one-stage": _executed(make_plan("a")),
    "trigger-branch-and-join": _branch_and_join,
    "trigger-handled": _executed(HANDLED, a="failed"),
    "trigger-unhandled": _executed(make_plan("a b c", "a b"), a="failed"),
    "trigger-unclaimed": _executed(make_plan("a b", "a b"), a="unclaimed"),
    "trigger-unclaimed-sibling": _unclaimed_sibling,
    "trigger-pure": _executed(make_chain(3, is_pure=True)),
    "trigger-failing-port": _failing_port,
    "trigger-cancelled": _cancelled,
    "trigger-held-by-timer": _held_by_timer,
    "trigger-queued": _queued,
    "trigger-waits": _waits,
    "trigger-items-wait": _items_wait,
    "trigger-waits-cancelled": _waits_cancelled,
    "trigger-waits-in-vain": _waits_in_vain,
    "trigger-cancelling": _cancelling,
    "trigger-releasing": _releasing,
    **GRAPH_SCENARIOS,
}
