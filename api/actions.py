"""What is done with actions."""

import asyncio
from collections.abc import Mapping

from api.body import Body
from api.caller import Caller
from api.embedding import embed
from api.outbox import Outbox
from api.problem import placed
from api.requests import RunRequest
from api.triggering import add_trigger
from api.views.action import (
    ActionSummary,
    ActionView,
    AppliedAction,
    ScheduleChange,
    Verdict,
    summarise_action,
    view_action,
)
from api.views.listing import Listing
from api.views.trigger import TriggerView, view_trigger
from api.writing import WrittenAction, find_problems, read_action
from cronny.errors import Conflict
from cronny.store.tables import EventKind
from cronny.store.tenant_store import TenantStore
from dsl.inputs import check_inputs


async def apply_action(caller: Caller, outbox: Outbox, name: str, raw: bytes) -> AppliedAction:
    """Make a text the newest version of an action and of its schedules; raises Invalid and Conflict."""
    async with caller.read() as store:
        connections = await store.connections.kinds()
    # Checking takes milliseconds to tens of them: other requests, and the database's writers, go on.
    written = await asyncio.to_thread(read_action, name, raw, caller.parts.kinds, connections)
    async with caller.write() as store:
        await _require_connections(store, written, connections)
        await _require_inputs(store, written)
        model = written.action.model_dump(mode="json")
        action, is_new = await store.actions.save(name, written.text, model, store.now)
        if is_new:
            await store.note(EventKind.ACTION_SAVED, action_id=action.id, details={"version": action.version})
        effects = await embed(store, action, written)
    for effect in effects:
        if effect.change != "unchanged":
            outbox.changed(caller.tenant, effect.row, name)
    change = "unchanged" if not is_new else "created" if action.version == 1 else "updated"
    return AppliedAction(
        **summarise_action(action).model_dump(),
        change=change,
        schedules=tuple(ScheduleChange(name=effect.row.name, change=effect.change) for effect in effects),
    )


async def validate_action(caller: Caller, raw: bytes) -> Verdict:
    """Everything that is wrong with a text, against the tenant's connections; nothing is written."""
    async with caller.read() as store:
        connections = await store.connections.kinds()
    problems = await asyncio.to_thread(find_problems, raw, caller.parts.kinds, connections)
    return Verdict(valid=not problems, problems=placed(problems))


async def list_actions(caller: Caller) -> Listing[ActionSummary]:
    """Every action, by name."""
    async with caller.read() as store:
        rows = await store.actions.all()
    return Listing(items=tuple(summarise_action(row) for row in rows))


async def show_action(caller: Caller, name: str) -> ActionView:
    """An action with its newest version; raises NotFound."""
    async with caller.read() as store:
        action = await store.actions.get(name)
        version = await store.actions.version(action)
        schedules = await store.schedules.of_action(action.id)
    return view_action(action, version, schedules)


async def run_action(caller: Caller, outbox: Outbox, name: str, body: Body) -> TriggerView:
    """Trigger an action now; raises NotFound and Invalid."""
    wanted = body.read_as(RunRequest)
    async with caller.write() as store:
        action = await store.actions.get(name)
        added = await add_trigger(store, action, None, wanted.inputs, body)
    outbox.start(added.fire)
    return view_trigger(added.entry)


async def _require_inputs(store: TenantStore, written: WrittenAction) -> None:
    """The schedules that stand alone give values too: an edit of the inputs must not break them."""
    name = written.action.name
    for row in await store.schedules.of_named_action(name):
        given = row.inputs if isinstance(row.inputs, dict) else {}
        for problem in check_inputs(written.action, given)[1]:
            what = f"the schedule '{row.name}' would no longer fit: {problem.where} {problem.what}"
            raise Conflict(f"{what}; change that schedule first, or keep the input")


async def _require_connections(
    store: TenantStore, written: WrittenAction, checked: Mapping[str, str]
) -> None:
    used = {stage.connection for stage in written.action.stages if stage.connection is not None}
    held = await store.connections.hold(used)
    if changed := sorted(name for name in used if held.get(name) != checked.get(name)):
        raise Conflict(f"the connection '{changed[0]}' changed at this moment; send the action again")
