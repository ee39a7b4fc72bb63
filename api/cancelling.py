"""Triggers that are to end."""

from api.body import Body
from api.caller import Caller
from api.outbox import Outbox
from api.requests import CancelRequest
from api.triggers import require_id
from api.views.trigger import TriggerView, view_trigger
from cronny.store.tables import EventKind
from cronny.store.tenant_store import TenantStore
from cronny.temporal.schedules import cancel, terminate


async def cancel_trigger(caller: Caller, outbox: Outbox, trigger_id: str, body: Body) -> TriggerView:
    """End a trigger in order, or at once; raises NotFound, Conflict and Unavailable."""
    wanted = body.read_as(CancelRequest)
    require_id(trigger_id)
    async with caller.write() as store:
        found = await store.triggers.cancel(trigger_id, store.now, is_forced=wanted.force)
        if found.is_settled:
            await _note(store, trigger_id, wanted)
    client, row = caller.parts.temporal, found.row
    if not found.is_settled:
        await cancel(client, row.workflow_id, row.run_id)
        async with caller.write() as store:
            await _note(store, trigger_id, wanted)
    elif wanted.force:
        await terminate(client, row.workflow_id, row.run_id, f"ended by {caller.actor}: {wanted.note}")
    else:
        outbox.cancel(row.workflow_id)
    for workflow_id in found.waiting:
        outbox.release(workflow_id)
    async with caller.read() as store:
        return view_trigger(await store.triggers.get(trigger_id))


async def _note(store: TenantStore, trigger_id: str, wanted: CancelRequest) -> None:
    entry = await store.triggers.get(trigger_id)
    row = entry.trigger
    await store.events.add(
        EventKind.TRIGGER_CANCELLED, schedule_id=row.schedule_id, action_id=row.action_id,
        trigger_id=trigger_id, actor=store.actor, note=wanted.note, details={"force": wanted.force},
        now=store.now,
    )  # fmt: skip
