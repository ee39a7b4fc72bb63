"""What is done with single fires that are still to come."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import JsonValue

from activities.rules import Rule
from api.body import Body
from api.caller import Caller
from api.outbox import Outbox
from api.requests import FireInputsRequest, MoveRequest, NoteRequest
from api.stored import read_stored
from api.triggering import fill_values
from api.views.fire import FireChangeView, has_fire, view_change
from api.views.listing import Listing
from cronny.errors import Invalid
from cronny.firing import fire_of
from cronny.names import instant_text
from cronny.scheduling import Compiled
from cronny.store.changed_fires import details_of
from cronny.store.fire_changes import Asked
from cronny.store.tables import ChangeKind, EventKind, ScheduleRow
from cronny.store.tenant_store import TenantStore
from dsl.inputs import check_inputs
from dsl.problems import Problem

FAR = timedelta(days=400)  # how far back the fire before an instant is looked for
EVENTS: Mapping[ChangeKind, EventKind] = {
    ChangeKind.SKIP: EventKind.FIRE_SKIPPED,
    ChangeKind.MOVE: EventKind.FIRE_MOVED,
    ChangeKind.INPUTS: EventKind.FIRE_INPUTS,
}


async def list_changes(caller: Caller, name: str) -> Listing[FireChangeView]:
    """What was asked of the fires to come, by due; raises NotFound."""
    async with caller.read() as store:
        row = await store.schedules.get(name)
        rule = await caller.parts.rules.get(row, store.calendars)
        changes = await store.fire_changes.of(row, store.now)
    return Listing(items=tuple(view_change(change, rule.compiled) for change in changes))


async def skip_fire(caller: Caller, name: str, due: datetime, body: Body) -> FireChangeView:
    """Leave a fire out; raises NotFound, Invalid and Conflict."""
    note = body.read_as(NoteRequest).note
    async with caller.write() as store:
        row, rule = await _locked(caller, store, name)
        return await _ask(store, row, rule, due, Asked(ChangeKind.SKIP, caller.actor, note))


async def move_fire(caller: Caller, name: str, due: datetime, body: Body) -> FireChangeView:
    """Let a fire happen at another instant; raises NotFound, Invalid and Conflict."""
    wanted = body.read_as(MoveRequest)
    async with caller.write() as store:
        if wanted.to <= store.now:
            raise body.refuse(("to",), "lies in the past", f"it is {instant_text(store.now)} now", "past")
        row, rule = await _locked(caller, store, name)
        asked = Asked(ChangeKind.MOVE, caller.actor, wanted.note, moved_to=wanted.to)
        return await _ask(store, row, rule, due, asked)


async def give_fire_inputs(caller: Caller, name: str, due: datetime, body: Body) -> FireChangeView:
    """Give a fire other inputs, above those of its schedule; raises NotFound, Invalid and Conflict."""
    wanted = body.read_as(FireInputsRequest)
    async with caller.write() as store:
        row, rule = await _locked(caller, store, name)
        action = await store.actions.of(row)
        inputs = await fill_values(store, action, {**_own(row), **wanted.inputs}, body)
        asked = Asked(ChangeKind.INPUTS, caller.actor, wanted.note, inputs=inputs)
        return await _ask(store, row, rule, due, asked)


async def restore_fire(caller: Caller, outbox: Outbox, name: str, due: datetime) -> None:
    """Let a fire be as its rule says; raises NotFound and Conflict."""
    async with caller.write() as store:
        row = await store.schedules.get(name, is_locked=True)
        action = await store.actions.of(row)
        stored = read_stored(await store.actions.version(action))
        inputs, _ = check_inputs(stored, _own(row))
        trigger = await store.fire_changes.undo(row, due, inputs, store.now)
        await store.note(EventKind.FIRE_RESTORED, row, details={"due": instant_text(due)})
    if trigger is not None:
        outbox.start(fire_of(trigger, caller.tenant.slug, action.name, name, store.now))


async def _locked(caller: Caller, store: TenantStore, name: str) -> tuple[ScheduleRow, Rule]:
    row = await store.schedules.get(name, is_locked=True)
    return row, await caller.parts.rules.get(row, store.calendars)


async def _ask(
    store: TenantStore, row: ScheduleRow, rule: Rule, due: datetime, asked: Asked
) -> FireChangeView:
    if not has_fire(rule.compiled, due):
        raise Invalid([Problem("due", f"there is no fire at {instant_text(due)}", _near(rule.compiled, due))])
    change = await store.fire_changes.ask(row, due, asked, store.now)
    await store.note(EVENTS[asked.kind], row, note=asked.note, details=details_of(change))
    return view_change(change, rule.compiled)


def _near(compiled: Compiled, due: datetime) -> str:
    """A hint with the fires before and after an instant."""
    near = [*compiled.latest(due - FAR, due, 1), *filter(None, [compiled.next(due)])]
    if not near:
        return "the schedule has no fire near it"
    return f"the nearest fires are {' and '.join(map(instant_text, near))}"


def _own(row: ScheduleRow) -> Mapping[str, JsonValue]:
    return row.inputs if isinstance(row.inputs, dict) else {}
