"""What is recorded of items, of branches, and of what follows the graph."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from temporalio.client import WorkflowHandle

from tests.workflows.plans import make_foreach, make_handlers, make_plan, make_side, undoable
from tests.workflows.scripted import Gate
from tests.workflows.stand import Stand

Handle = WorkflowHandle[Any, Any]

EACH = make_plan("a b c", "a b", "b c", b=make_foreach(3))
HANDLERS = make_handlers(on_error="page tell", on_success="boast", on_finish="clean")
SAGA = make_plan("a b c", "a b", "b c", **undoable("a", "b")).model_copy(update={"handlers": HANDLERS})
BRANCH = make_plan("a b", "a b").model_copy(
    update={"sides": (make_side("a", "note more", "a note retry", "note more"),)}
)


async def _foreach(stand: Stand) -> Handle:
    stand.ports.items["b"] = 5
    return await stand.execute(EACH)


async def _foreach_failed(stand: Stand) -> Handle:
    stand.ports.items["b"] = 5
    stand.ports.outcomes["b/1"] = "failed"
    return await stand.execute(EACH)


async def _foreach_in_child(stand: Stand) -> Handle:
    stand.ports.items["b"] = 25
    return await stand.execute(EACH)


async def _items(stand: Stand) -> Handle:
    parent = await _foreach_in_child(stand)
    return stand.client.get_workflow_handle(f"{parent.id}/b")


async def _foreach_cancelled(stand: Stand) -> Handle:
    return await _cancelled(stand, 5)


async def _items_cancelled(stand: Stand) -> Handle:
    parent = await _cancelled(stand, 25)
    return stand.client.get_workflow_handle(f"{parent.id}/b")


async def _cancelled(stand: Stand, count: int) -> Handle:
    stand.ports.items["b"] = count
    gates = {f"b/{number}": Gate() for number in range(count)}
    stand.ports.gates, stand.ports.plan = dict(gates), EACH
    handle = await stand.start_trigger()
    for number in range(3):
        await gates[f"b/{number}"].reached.wait()
    await handle.cancel()
    await handle.result()
    return handle


async def _undone(stand: Stand) -> Handle:
    stand.ports.outcomes = {"c": "failed", "b.undo": "failed"}
    return await stand.execute(SAGA)


async def _succeeded(stand: Stand) -> Handle:
    return await stand.execute(SAGA)


async def _without_outputs(stand: Stand) -> Handle:
    stand.ports.has_outputs = False
    return await stand.execute(SAGA.model_copy(update={"needs_outputs": True}))


async def _saga_cancelled(stand: Stand) -> Handle:
    gate = stand.ports.gates["c"] = Gate()
    stand.ports.plan = SAGA
    handle = await stand.start_trigger()
    await gate.reached.wait()
    await handle.cancel()
    await handle.result()
    return handle


async def _branched(stand: Stand) -> Handle:
    stand.ports.retries["a"] = 2
    return await stand.execute(BRANCH)


GRAPH_SCENARIOS: Mapping[str, Callable[[Stand], Awaitable[Handle]]] = {
    "trigger-foreach": _foreach,
    "trigger-foreach-failed": _foreach_failed,
    "trigger-foreach-in-child": _foreach_in_child,
    "trigger-foreach-cancelled": _foreach_cancelled,
    "foreach-items": _items,
    "foreach-cancelled": _items_cancelled,
    "trigger-undone": _undone,
    "trigger-succeeded": _succeeded,
    "trigger-without-outputs": _without_outputs,
    "trigger-saga-cancelled": _saga_cancelled,
    "trigger-branched": _branched,
}
