"""Tests of actions: triggers in which something stands in for every side effect."""

from collections.abc import Mapping

from pydantic import JsonValue

from api.actions import known_to
from api.body import Body
from api.caller import Caller
from api.limiting import require_small
from api.outbox import Outbox
from api.recorded import read_recorded
from api.requests import ActionTest
from api.stored import read_stored
from api.triggering import placed_in
from api.views.trigger import TriggerView, view_trigger
from api.writing import read_action
from cronny.errors import Invalid
from cronny.firing import fire_of
from cronny.store.actions import is_draft
from cronny.store.tables import ActionRow, EventKind
from cronny.store.tenant_store import TenantStore
from cronny.store.triggers import Entry, Origin
from dsl.action import Action
from dsl.inputs import check_inputs
from dsl.rehearsal import Rehearsal


async def check_by_trial(caller: Caller, outbox: Outbox, name: str, body: Body) -> TriggerView:
    """Execute an action, as it is stored or as it is given, without side effects; raises as a run does."""
    wanted = body.read_as(ActionTest)
    written = None
    if wanted.source is not None:
        written = read_action(name, wanted.source.encode(), await known_to(caller))
    recorded = await read_recorded(caller, wanted.from_trigger, body) if wanted.from_trigger else {}
    rehearsal = Rehearsal(given=wanted.given, recorded=recorded, allow=wanted.allow, only=wanted.only)
    async with caller.write() as store:
        if written is None:
            row = await store.actions.get(name)
            action = read_stored(await store.actions.version(row))
        else:
            action = written.action
            model = action.model_dump(mode="json")
            row = await store.actions.draft(name, written.text, model, store.now)
        added = await _add(store, row, action, (wanted.inputs, rehearsal), body)
    outbox.start(fire_of(added.trigger, caller.tenant.slug, added.action, None, store.now))
    return view_trigger(added)


async def _add(
    store: TenantStore,
    row: ActionRow,
    action: Action,
    wanted: tuple[Mapping[str, JsonValue], Rehearsal],
    body: Body,
) -> Entry:
    given, rehearsal = wanted
    inputs, problems = check_inputs(action, given)
    if problems:
        raise Invalid([placed_in(problem, body) for problem in problems])
    require_small(store, inputs, body.document, ("inputs",))
    for path, what, hint in rehearsal.misnamed(action):
        raise body.refuse(path, what, hint, "unknown_stage")
    origin = Origin("test", test=rehearsal.model_dump(mode="json", exclude_unset=True))
    entry = await store.triggers.add_manual(row, None, inputs, store.now, origin)
    action_id = None if is_draft(row) else row.id
    await store.note(
        EventKind.TRIGGER_REQUESTED, None, action_id=action_id, trigger_id=entry.trigger.id, note="test"
    )
    return entry
