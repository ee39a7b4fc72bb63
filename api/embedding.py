"""The schedules written in an action's text, kept as the text says."""

from collections.abc import Mapping, Sequence

from api.limiting import require_small, rule_problem
from api.previewing import void_changes
from api.views.action import Effect
from api.writing import WrittenAction, WrittenSchedule
from cronny.errors import Conflict, Invalid, NotFound
from cronny.scheduling import DateSet
from cronny.store.history import note_saved
from cronny.store.limits import Limit
from cronny.store.schedules import Wish
from cronny.store.tables import ActionRow, EventKind, ScheduleRow
from cronny.store.tenant_store import TenantStore
from dsl.inputs import check_inputs


async def embed(
    store: TenantStore, action: ActionRow, written: WrittenAction, calendars: Mapping[str, DateSet]
) -> Sequence[Effect]:
    """Create, change and delete the action's own schedules; raises Conflict, and Invalid for idle rules."""
    present = {row.name: row for row in await store.schedules.of_action(action.id)}
    _require_firing(store, written, present, calendars)
    for one in written.schedules:
        filled, _ = check_inputs(written.action, one.schedule.inputs)
        require_small(store, filled, written.document, (*one.path, "inputs"))
    effects = [await _save(store, action, one, present.get(one.name)) for one in written.schedules]
    gone = sorted(present.keys() - {one.name for one in written.schedules})
    return [*effects, *[await drop_schedule(store, name) for name in gone]]


def _require_firing(
    store: TenantStore,
    written: WrittenAction,
    present: Mapping[str, ScheduleRow],
    calendars: Mapping[str, DateSet],
) -> None:
    # A date that has passed since it was uploaded is no mistake: the same text must stay acceptable.
    changed = [
        one for one in written.schedules if one.name not in present or present[one.name].source != one.source
    ]
    found = [rule_problem(store, one.schedule, calendars, written.document, one.path) for one in changed]
    if problems := [problem for problem in found if problem is not None]:
        raise Invalid(problems)


async def _save(
    store: TenantStore, action: ActionRow, written: WrittenSchedule, present: ScheduleRow | None
) -> Effect:
    if present is None:
        await _require_free(store, written.name)
        await store.limits.require_room(Limit.SCHEDULES)
    wish = Wish(
        name=written.name,
        action=action,
        source=written.source,
        inputs=written.schedule.inputs,
        is_paused=written.schedule.paused,
        is_embedded=True,
        calendars=written.schedule.calendar_names,
    )
    row, is_changed = await store.schedules.save(wish, store.now)
    if is_changed:
        await note_saved(store, row, is_new=present is None)
    if present is None:
        return Effect(row, "created")
    return Effect(row, "updated" if is_changed else "unchanged", await void_changes(store, row))


async def drop_schedule(store: TenantStore, name: str) -> Effect:
    """Take a schedule away with what wrote it."""
    row = await store.schedules.delete(name, store.now)
    await store.note(EventKind.SCHEDULE_DELETED, row)
    return Effect(row, "deleted")


async def _require_free(store: TenantStore, name: str) -> None:
    try:
        taken = await store.schedules.get(name, is_locked=True)
    except NotFound:
        return
    if taken.is_embedded:
        owner = await store.actions.of(taken)
        raise Conflict(f"the schedule '{name}' is written in the action '{owner.name}'")
    raise Conflict(f"there is a schedule '{name}' already, written in no action; delete it first")
