"""What is done with actions."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from activities.rules import RuleCache
from api.body import Body
from api.caller import Caller
from api.circles import require_no_circle
from api.embedding import embed
from api.outbox import Outbox
from api.previewing import compare, compiled_of, present_rules
from api.problem import placed
from api.requests import RunRequest
from api.stored import labelled_with
from api.triggering import add_trigger
from api.views.action import (
    ActionSummary,
    ActionView,
    AppliedAction,
    Change,
    Effect,
    Saved,
    ScheduleChange,
    Verdict,
    applied,
    summarise_action,
    view_action,
)
from api.views.listing import Listing
from api.views.trigger import TriggerView, view_trigger
from api.writing import Known, WrittenAction, find_problems, read_action
from cronny.errors import Conflict, NotFound
from cronny.scheduling import Compiled, DateSet
from cronny.store.actions import Made
from cronny.store.limits import Limit
from cronny.store.tables import EventKind
from cronny.store.tenant_store import TenantStore
from dsl.action import MIDDLE_PRIORITY
from dsl.differences import differences
from dsl.inputs import check_inputs
from dsl.outside import Outside, outside_of


@dataclass(frozen=True)
class Upload:
    """A text, and why it is sent."""

    raw: bytes
    restored: int | None = None  #: Of a rollback: the version whose text it is.
    note: str = ""


async def apply_action(caller: Caller, outbox: Outbox, name: str, upload: Upload) -> AppliedAction:
    """Make a text the newest version of an action and of its schedules; raises Invalid and Conflict."""
    known = await known_to(caller)
    # Checking takes milliseconds to tens of them: other requests, and the database's writers, go on.
    written = await asyncio.to_thread(read_action, name, upload.raw, known)
    async with caller.write() as store:
        await store.limits.hold()
        calendars = await _hold_used(store, written, known, caller.parts.rules)
        await require_no_circle(store, written)
        await _require_inputs(store, written)
        saved = await _save(store, name, written, calendars, upload)
    for effect in saved.effects:
        if effect.change != "unchanged":
            outbox.changed(caller.tenant, effect.row, name)
    schedules = [
        ScheduleChange(name=effect.row.name, change=effect.change, void_changes=effect.void)
        for effect in saved.effects
    ]
    return applied(saved, schedules)


async def plan_action(caller: Caller, name: str, upload: Upload) -> AppliedAction:
    """What uploading a text would do, fires included, without doing it; raises as the upload would."""
    known = await known_to(caller)
    written = await asyncio.to_thread(read_action, name, upload.raw, known)
    async with caller.rehearse() as store:
        calendars = await _hold_used(store, written, known, caller.parts.rules)
        await require_no_circle(store, written)
        await _require_inputs(store, written)
        before = await present_rules(store, name, caller.parts.rules)
        saved = await _save(store, name, written, calendars, upload)
        now, view = store.now, applied(saved, ())
        planned = [(effect, effect.row.name, await _rule_after(store, effect)) for effect in saved.effects]
    changes = [
        ScheduleChange(
            name=one,
            change=effect.change,
            void_changes=effect.void,
            fires=await compare(before.get(one), after, now),
        )
        for effect, one, after in planned
    ]
    return view.model_copy(update={"schedules": tuple(changes)})


async def validate_action(caller: Caller, raw: bytes) -> Verdict:
    """Everything that is wrong with a text, against the tenant's connections; nothing is written."""
    known = await known_to(caller)
    problems = await asyncio.to_thread(find_problems, raw, known)
    return Verdict(valid=not problems, problems=placed(problems))


async def list_actions(caller: Caller, label: str | None = None) -> Listing[ActionSummary]:
    """Every action, by name, or those whose labels have this `name=value`; raises Invalid."""
    async with caller.read() as store:
        rows = await store.actions.all()
        if label is not None:
            labelled = labelled_with(label, await store.actions.newest())
            rows = [row for row in rows if row.id in labelled]
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


async def known_to(caller: Caller) -> Known:
    """What a text of the caller's may name."""
    async with caller.read() as store:
        return Known(
            kinds=caller.parts.kinds,
            connections=await store.connections.kinds(),
            calendars=await store.calendars.names(),
            outside=Outside(await store.variables.names(), await store.secrets.names()),
        )


async def _hold_used(
    store: TenantStore, written: WrittenAction, known: Known, rules: RuleCache
) -> Mapping[str, DateSet]:
    """Keep what a text names as it is until the commit; gives its calendars. Raises Conflict."""
    await _require_connections(store, written, known.connections)
    await _require_outside(store, written)
    return await _hold_calendars(store, written, rules)


async def _hold_calendars(
    store: TenantStore, written: WrittenAction, rules: RuleCache
) -> Mapping[str, DateSet]:
    used = {name for one in written.schedules for name in one.schedule.calendar_names}
    held = await store.calendars.hold(used)
    if gone := sorted(used - {mark.name for mark in held}):
        raise Conflict(f"the calendar '{gone[0]}' was deleted at this moment; send the action again")
    return rules.dates(held)


async def _require_inputs(store: TenantStore, written: WrittenAction) -> None:
    """The schedules that stand alone give values too: an edit of the inputs must not break them."""
    name = written.action.name
    for row in await store.schedules.of_named_action(name):
        given = row.inputs if isinstance(row.inputs, dict) else {}
        for problem in check_inputs(written.action, given)[1]:
            what = f"the schedule '{row.name}' would no longer fit: {problem.where} {problem.what}"
            raise Conflict(f"{what}; change that schedule first, or keep the input")


async def _save(
    store: TenantStore, name: str, written: WrittenAction, calendars: Mapping[str, DateSet], upload: Upload
) -> Saved:
    model = written.action.model_dump(mode="json")
    priority = written.action.priority if written.action.priority != MIDDLE_PRIORITY else None
    await store.actions.lock(name)  # or what is read now could be changed before it is written
    before = await _present_model(store, name)
    made = Made(store.actor, upload.restored, priority)
    action, is_new = await store.actions.save(name, written.text, model, store.now, made)
    if is_new and before is None:
        await store.limits.require_room(Limit.ACTIONS, written=1)
    if is_new:
        kind = EventKind.ACTION_SAVED if upload.restored is None else EventKind.ACTION_ROLLED_BACK
        details: dict[str, JsonValue] = {"version": action.version}
        details |= {} if upload.restored is None else {"restored": upload.restored}
        await store.note(kind, action_id=action.id, note=upload.note, details=details)
    effects = await embed(store, action, written, calendars)
    change: Change = "unchanged" if not is_new else "created" if before is None else "updated"
    return Saved(change, action, effects, tuple(differences(before, model)) if before is not None else ())


async def _present_model(store: TenantStore, name: str) -> JsonValue:
    try:
        return (await store.actions.version(await store.actions.get(name))).model
    except NotFound:
        return None


async def _rule_after(store: TenantStore, effect: Effect) -> Compiled | None:
    # In a cache of its own: the generation that a rehearsal counts will be another rule's.
    return None if effect.change == "deleted" else await compiled_of(effect.row, RuleCache(), store)


async def _require_outside(store: TenantStore, written: WrittenAction) -> None:
    used = outside_of(written.action.model_dump(mode="json"))
    held = await store.variables.hold(used.vars), await store.secrets.hold(used.secrets)
    for noun, gone in (("variable", used.vars - held[0]), ("secret", used.secrets - held[1])):
        if gone:
            raise Conflict(f"the {noun} '{min(gone)}' was deleted at this moment; send the action again")


async def _require_connections(
    store: TenantStore, written: WrittenAction, checked: Mapping[str, str]
) -> None:
    stages = written.action.all_stages.values()
    used = {stage.connection for stage in stages if stage.connection is not None}
    held = await store.connections.hold(used)
    if changed := sorted(name for name in used if held.get(name) != checked.get(name)):
        raise Conflict(f"the connection '{changed[0]}' changed at this moment; send the action again")
