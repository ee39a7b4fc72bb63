"""Tests of actions: triggers in which something stands in for every side effect."""

from collections.abc import Mapping

from api.actions import known_to
from api.body import Body
from api.caller import Caller
from api.limiting import require_small
from api.outbox import Outbox
from api.requests import ActionTest
from api.stored import read_stored
from api.triggering import placed_in
from api.views.trigger import TriggerView, view_trigger
from api.writing import read_action
from cronny.errors import Invalid
from cronny.firing import fire_of
from cronny.store.actions import is_draft
from cronny.store.columns import json_text
from cronny.store.item_tables import ItemState
from cronny.store.tables import ActionRow, EventKind, StageRow, StageState
from cronny.store.tenant_store import TenantStore
from cronny.store.triggers import Entry, Origin
from dsl.action import Action
from dsl.inputs import check_inputs
from dsl.rehearsal import Given, GivenError, Rehearsal

MOST_ITEMS = 10_000  # of a stage whose recorded items stand in for it
MOST_RECORDED = 4 * 1024 * 1024  # characters of the outputs that are taken from another trigger


async def check_by_trial(caller: Caller, outbox: Outbox, name: str, body: Body) -> TriggerView:
    """Execute an action, as it is stored or as it is given, without side effects; raises as a run does."""
    wanted = body.read_as(ActionTest)
    written = None
    if wanted.source is not None:
        written = read_action(name, wanted.source.encode(), await known_to(caller))
    async with caller.write() as store:
        if written is None:
            row = await store.actions.get(name)
            action = read_stored(await store.actions.version(row))
        else:
            action = written.action
            model = action.model_dump(mode="json")
            row = await store.actions.draft(name, written.text, model, store.now)
        added = await _add(store, row, action, wanted, body)
    outbox.start(fire_of(added.trigger, caller.tenant.slug, added.action, None, store.now))
    return view_trigger(added)


async def _add(store: TenantStore, row: ActionRow, action: Action, wanted: ActionTest, body: Body) -> Entry:
    inputs, problems = check_inputs(action, wanted.inputs)
    if problems:
        raise Invalid([placed_in(problem, body) for problem in problems])
    require_small(store, inputs, body.document, ("inputs",))
    recorded = await _recorded(store, wanted, body)
    rehearsal = Rehearsal(given=wanted.given, recorded=recorded, allow=wanted.allow, only=wanted.only)
    for path, what, hint in rehearsal.misnamed(action):
        raise body.refuse(path, what, hint, "unknown_stage")
    origin = Origin("test", test=rehearsal.model_dump(mode="json", exclude_unset=True))
    entry = await store.triggers.add_manual(row, None, inputs, store.now, origin)
    action_id = None if is_draft(row) else row.id
    await store.note(
        EventKind.TRIGGER_REQUESTED, None, action_id=action_id, trigger_id=entry.trigger.id, note="test"
    )
    return entry


async def _recorded(store: TenantStore, wanted: ActionTest, body: Body) -> Mapping[str, Given]:
    """What became of the stages of another trigger."""
    if wanted.from_trigger is None:
        return {}
    entry = await store.triggers.get(wanted.from_trigger)
    rows = await store.triggers.stages(entry)
    counts = await store.triggers.item_counts(entry)
    found: dict[str, Given] = {}
    for row in rows:
        if row.stage_id in counts:
            items = await store.triggers.items(entry, row.stage_id, (), -1, MOST_ITEMS + 1)
            if len(items) <= MOST_ITEMS and all(one.state is ItemState.COMPLETED for one in items):
                found[row.stage_id] = Given(items=tuple(one.output for one in items))
        elif (given := _given(row)) is not None:
            found[row.stage_id] = given
    size = len(json_text({name: one.model_dump(mode="json") for name, one in found.items()}))
    if size > MOST_RECORDED:
        what = f"has outputs of {size} characters; {MOST_RECORDED} can be taken over"
        raise body.refuse(("from_trigger",), what, "give the outputs that matter", "too_large")
    return found


def _given(row: StageRow) -> Given | None:
    if row.state is StageState.COMPLETED:
        return Given(output=row.output)
    if row.state is StageState.FAILED and isinstance(row.error, dict):
        code, message = str(row.error.get("code", "internal")), str(row.error.get("message", ""))
        return Given(error=GivenError(code=code, message=message, details=row.error.get("details")))
    return None
