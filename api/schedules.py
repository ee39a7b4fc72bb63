"""What is done with schedules."""

from datetime import datetime

from pydantic import JsonValue

from api.body import Body
from api.caller import Caller
from api.limiting import rule_problem
from api.outbox import Outbox
from api.previewing import void_changes
from api.requests import PauseRequest, ResumeRequest, RunRequest, ScheduleRequest
from api.rules import hold_calendars, read_rule
from api.triggering import add_trigger, fill_values
from api.views.action import Change
from api.views.listing import Listing
from api.views.schedule import SavedSchedule, ScheduleView, Upcoming, view_schedule, view_upcoming
from api.views.trigger import TriggerView, view_trigger
from api.writing import rule_of
from cronny.errors import Conflict, Invalid, NotFound
from cronny.names import instant_text, is_name
from cronny.scheduling.bounds import LATEST
from cronny.store.history import note_saved
from cronny.store.limits import Limit
from cronny.store.schedules import Wish
from cronny.store.tables import ActionRow, EventKind, ScheduleRow
from cronny.store.tenant_store import TenantStore


async def put_schedule(caller: Caller, outbox: Outbox, name: str, body: Body) -> tuple[SavedSchedule, Change]:
    """Make a schedule what a body says, and how that changed it; raises Invalid and Conflict."""
    wanted = body.read_as(ScheduleRequest)
    rule = read_rule(body.document, ("schedule",), wanted.schedule)
    inputs = {**rule.inputs, **wanted.inputs}
    source = rule_of(wanted.schedule)
    async with caller.write() as store:
        await store.limits.hold()
        # Before the schedule: a change of a calendar locks it before its schedules, too.
        calendars = await hold_calendars(store, caller.parts.rules, rule, body.document, ("schedule",))
        action = await _find_action(store, wanted.action, body)
        present = await _find_own(store, name)
        if present is None or present.source != source:
            problem = rule_problem(store, rule, calendars, body.document, ("schedule",))
            if problem is not None:
                raise Invalid([problem])
        if present is None:
            await store.limits.require_room(Limit.SCHEDULES)
        await fill_values(store, action, inputs, body)
        is_paused = wanted.paused or rule.paused
        wish = Wish(name, action, source, inputs, is_paused, False, rule.calendar_names)
        row, is_changed = await store.schedules.save(wish, store.now)
        if is_changed:
            await note_saved(store, row, is_new=present is None)
        void = await void_changes(store, row)
    if is_changed:
        outbox.changed(caller.tenant, row, action.name)
    change: Change = "created" if present is None else "updated" if is_changed else "unchanged"
    view = view_schedule(row, action.name, store, caller.parts.rules)
    return SavedSchedule(**view.model_dump(), void_changes=void), change


async def list_schedules(caller: Caller) -> Listing[ScheduleView]:
    """Every schedule, by name."""
    async with caller.read() as store:
        found = await store.schedules.all()
    rules = caller.parts.rules
    return Listing(items=tuple(view_schedule(row, action, store, rules) for row, action in found))


async def show_schedule(caller: Caller, name: str) -> ScheduleView:
    """A schedule as it stands; raises NotFound."""
    async with caller.read() as store:
        row = await store.schedules.get(name)
        action = await store.actions.of(row)
    return view_schedule(row, action.name, store, caller.parts.rules)


async def delete_schedule(caller: Caller, outbox: Outbox, name: str) -> None:
    """Take a schedule away; raises NotFound, and Conflict if an action's text says that it exists."""
    async with caller.write() as store:
        row = await store.schedules.get(name, is_locked=True)
        action = await store.actions.of(row)
        if row.is_embedded:
            raise Conflict(f"the schedule '{name}' is written in the action '{action.name}'; remove it there")
        await store.schedules.delete(name, store.now)
        await store.note(EventKind.SCHEDULE_DELETED, row)
    outbox.changed(caller.tenant, row, action.name)


async def pause_schedule(caller: Caller, outbox: Outbox, name: str, body: Body) -> ScheduleView:
    """Stop a schedule from firing from this instant on; raises NotFound, and Invalid for the end."""
    wanted = body.read_as(PauseRequest)
    async with caller.write() as store:
        if wanted.until is not None and not store.now < wanted.until <= LATEST:
            raise body.refuse(("until",), "must lie ahead", "such as an hour from now", "invalid")
        row = await store.schedules.get(name, is_locked=True)
        before = row.is_paused, row.note, row.paused_until
        await store.schedules.pause(name, wanted.note, store.now, wanted.until)
        if (row.is_paused, row.note, row.paused_until) != before:
            until: dict[str, JsonValue] = (
                {"until": instant_text(row.paused_until)} if row.paused_until is not None else {}
            )
            await store.note(EventKind.SCHEDULE_PAUSED, row, note=row.note, details=until)
        action = await store.actions.of(row)
    outbox.changed(caller.tenant, row, action.name)
    return view_schedule(row, action.name, store, caller.parts.rules)


async def resume_schedule(caller: Caller, outbox: Outbox, name: str, body: Body) -> ScheduleView:
    """Let a schedule fire again; raises NotFound."""
    with_catchup = body.read_as(ResumeRequest).catchup
    async with caller.write() as store:
        row = await store.schedules.get(name, is_locked=True)
        if row.is_paused:
            await store.schedules.resume(name, store.now, with_catchup)
            await store.note(EventKind.SCHEDULE_RESUMED, row, details={"catchup": with_catchup})
        action = await store.actions.of(row)
    outbox.changed(caller.tenant, row, action.name)
    return view_schedule(row, action.name, store, caller.parts.rules)


async def trigger_schedule(caller: Caller, outbox: Outbox, name: str, body: Body) -> TriggerView:
    """Trigger a schedule's action now, paused or not, with its inputs below the given ones."""
    given = body.read_as(RunRequest).inputs
    async with caller.write() as store:
        row = await store.schedules.get(name)
        action = await store.actions.of(row)
        own = row.inputs if isinstance(row.inputs, dict) else {}
        added = await add_trigger(store, action, row, {**own, **given}, body)
    outbox.start(added.fire)
    return view_trigger(added.entry)


async def show_upcoming(caller: Caller, name: str, after: datetime | None, count: int) -> Upcoming:
    """The next fires of a schedule; raises NotFound."""
    async with caller.read() as store:
        row = await store.schedules.get(name)
        rule = await caller.parts.rules.get(row, store.calendars)
        begin = after or store.now
        changes = await store.fire_changes.of(row, begin)
    return view_upcoming(row, rule, changes, begin, count)


async def _find_action(store: TenantStore, name: str, body: Body) -> ActionRow:
    try:
        return await store.actions.get(name if is_name(name) else "", is_held=True)
    except NotFound:
        hint = "upload it first"
        raise body.refuse(("action",), f"there is no action '{name[:63]}'", hint, "not_found") from None


async def _find_own(store: TenantStore, name: str) -> ScheduleRow | None:
    try:
        row = await store.schedules.get(name, is_locked=True)
    except NotFound:
        return None
    if row.is_embedded:
        action = await store.actions.of(row)
        raise Conflict(f"the schedule '{name}' is written in the action '{action.name}'; change it there")
    return row
