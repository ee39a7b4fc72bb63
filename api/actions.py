"""What is done with actions."""

import asyncio
from collections.abc import Mapping, Sequence

from activities.rules import RuleCache
from api.body import Body
from api.caller import Caller
from api.circles import require_no_circle
from api.embedding import Effect, embed
from api.outbox import Outbox
from api.previewing import compare, compiled_of
from api.problem import placed
from api.requests import RunRequest
from api.triggering import add_trigger
from api.views.action import (
    ActionSummary,
    ActionView,
    AppliedAction,
    Change,
    ScheduleChange,
    Verdict,
    summarise_action,
    view_action,
)
from api.views.listing import Listing
from api.views.trigger import TriggerView, view_trigger
from api.writing import Known, WrittenAction, find_problems, read_action
from cronny.errors import Conflict, NotFound
from cronny.scheduling import Compiled, DateSet
from cronny.store.limits import Limit
from cronny.store.tables import ActionRow, EventKind
from cronny.store.tenant_store import TenantStore
from dsl.action import MIDDLE_PRIORITY
from dsl.inputs import check_inputs


async def apply_action(caller: Caller, outbox: Outbox, name: str, raw: bytes) -> AppliedAction:
    """Make a text the newest version of an action and of its schedules; raises Invalid and Conflict."""
    known = await _known(caller)
    # Checking takes milliseconds to tens of them: other requests, and the database's writers, go on.
    written = await asyncio.to_thread(read_action, name, raw, known)
    async with caller.write() as store:
        await store.limits.hold()
        await _require_connections(store, written, known.connections)
        await require_no_circle(store, written)
        calendars = await _hold_calendars(store, written, caller.parts.rules)
        await _require_inputs(store, written)
        change, action, effects = await _save(store, name, written, calendars)
    for effect in effects:
        if effect.change != "unchanged":
            outbox.changed(caller.tenant, effect.row, name)
    schedules = tuple(
        ScheduleChange(name=effect.row.name, change=effect.change, void_changes=effect.void)
        for effect in effects
    )
    return AppliedAction(**summarise_action(action).model_dump(), change=change, schedules=schedules)


async def plan_action(caller: Caller, name: str, raw: bytes) -> AppliedAction:
    """What uploading a text would do, fires included, without doing it; raises as the upload would."""
    known = await _known(caller)
    written = await asyncio.to_thread(read_action, name, raw, known)
    async with caller.rehearse() as store:
        await _require_connections(store, written, known.connections)
        await require_no_circle(store, written)
        calendars = await _hold_calendars(store, written, caller.parts.rules)
        await _require_inputs(store, written)
        before = await _present_rules(store, name, caller.parts.rules)
        change, action, effects = await _save(store, name, written, calendars)
        summary, now = summarise_action(action).model_dump(), store.now
        planned = [(effect, effect.row.name, await _rule_after(store, effect)) for effect in effects]
    return AppliedAction(
        **summary,
        change=change,
        schedules=tuple(
            [
                ScheduleChange(
                    name=one,
                    change=effect.change,
                    void_changes=effect.void,
                    fires=await compare(before.get(one), after, now),
                )
                for effect, one, after in planned
            ]
        ),
    )


async def validate_action(caller: Caller, raw: bytes) -> Verdict:
    """Everything that is wrong with a text, against the tenant's connections; nothing is written."""
    known = await _known(caller)
    problems = await asyncio.to_thread(find_problems, raw, known)
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


async def _known(caller: Caller) -> Known:
    async with caller.read() as store:
        return Known(caller.parts.kinds, await store.connections.kinds(), await store.calendars.names())


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
    store: TenantStore, name: str, written: WrittenAction, calendars: Mapping[str, DateSet]
) -> tuple[Change, ActionRow, Sequence[Effect]]:
    model = written.action.model_dump(mode="json")
    priority = written.action.priority if written.action.priority != MIDDLE_PRIORITY else None
    action, is_new = await store.actions.save(name, written.text, model, store.now, priority)
    if is_new and action.version == 1:
        await store.limits.require_room(Limit.ACTIONS, written=1)
    if is_new:
        await store.note(EventKind.ACTION_SAVED, action_id=action.id, details={"version": action.version})
    effects = await embed(store, action, written, calendars)
    return "unchanged" if not is_new else "created" if action.version == 1 else "updated", action, effects


async def _present_rules(store: TenantStore, name: str, rules: RuleCache) -> dict[str, Compiled | None]:
    """The rules of an action's own schedules as they are saved."""
    try:
        action = await store.actions.get(name)
    except NotFound:
        return {}
    present = await store.schedules.of_action(action.id)
    return {row.name: await compiled_of(row, rules, store) for row in present}


async def _rule_after(store: TenantStore, effect: Effect) -> Compiled | None:
    # In a cache of its own: the generation that a rehearsal counts will be another rule's.
    return None if effect.change == "deleted" else await compiled_of(effect.row, RuleCache(), store)


async def _require_connections(
    store: TenantStore, written: WrittenAction, checked: Mapping[str, str]
) -> None:
    used = {stage.connection for stage in written.action.stages if stage.connection is not None}
    held = await store.connections.hold(used)
    if changed := sorted(name for name in used if held.get(name) != checked.get(name)):
        raise Conflict(f"the connection '{changed[0]}' changed at this moment; send the action again")
