"""Rules looked at before they are saved: nothing is written."""

import asyncio
from datetime import datetime

from activities.rules import RuleCache
from api.body import Body
from api.caller import Caller
from api.limiting import rule_problem
from api.requests import PreviewRequest
from api.rules import hold_calendars, read_rule
from api.triggering import fill_values
from api.views.fire import has_fire
from api.views.preview import FireChanges, Preview, PreviewFire, view_changes
from api.writing import rule_of
from cronny.errors import Invalid, NotFound
from cronny.scheduling import Compiled, compile_schedule, upcoming
from cronny.scheduling.difference import difference
from cronny.store.schedules import anchor_of
from cronny.store.tables import ScheduleRow
from cronny.store.tenant_store import TenantStore
from dsl.describe import describe


async def preview_schedule(caller: Caller, body: Body) -> Preview:
    """What a rule would do; raises Invalid as saving it would, and NotFound for what it is compared with."""
    wanted = body.read_as(PreviewRequest)
    rule = read_rule(body.document, ("schedule",), wanted.schedule)
    source = rule_of(wanted.schedule)
    async with caller.read() as store:
        calendars = await hold_calendars(store, caller.parts.rules, rule, body.document, ("schedule",))
        saved = await _saved(store, wanted.name, body)
        before = await compiled_of(saved, caller.parts.rules, store) if saved else None
        if saved is None or saved.source != source:
            problem = rule_problem(store, rule, calendars, body.document, ("schedule",))
            if problem is not None:
                raise Invalid([problem])
        if wanted.action is not None:
            action = await store.actions.get(wanted.action)
            await fill_values(store, action, {**rule.inputs, **wanted.inputs}, body)
    compiled = compile_schedule(rule, anchor_of(saved, source, store.now), calendars)
    dues = upcoming(compiled, wanted.after or store.now, wanted.count)
    return Preview(
        description=describe(rule),
        timezone=rule.timezone,
        fires=tuple(preview_fire(compiled, due) for due in dues),
        against=wanted.name,
        changes=await compare(before, compiled, store.now) if saved else None,
    )


def preview_fire(compiled: Compiled, due: datetime) -> PreviewFire:
    """A fire on its clocks."""
    return PreviewFire(due=due, local=compiled.local(due), clock_change=compiled.touched(due) or "")


async def compare(before: Compiled | None, after: Compiled | None, now: datetime) -> FireChanges:
    """What changes from now on as one rule, or none, takes another's place."""
    # Comparing takes tens of milliseconds: other requests go on.
    return view_changes(await asyncio.to_thread(difference, before, after, now))


async def compiled_of(saved: ScheduleRow, rules: RuleCache, store: TenantStore) -> Compiled | None:
    """A saved rule; None if this version of Cronny cannot read it any more, so that it fires never."""
    try:
        return (await rules.get(saved, store.calendars)).compiled
    except Invalid:
        return None


async def present_rules(store: TenantStore, action: str, rules: RuleCache) -> dict[str, Compiled | None]:
    """The rules of an action's own schedules as they are saved."""
    try:
        found = await store.actions.get(action)
    except NotFound:
        return {}
    return {
        row.name: await compiled_of(row, rules, store) for row in await store.schedules.of_action(found.id)
    }


async def void_changes(store: TenantStore, row: ScheduleRow) -> tuple[datetime, ...]:
    """The dues of changed fires that the rule of a schedule, just saved, does not have any more."""
    if not row.has_changes:
        return ()
    # In a cache of its own: a rehearsal's generation will be another rule's.
    compiled = await compiled_of(row, RuleCache(), store)
    changes = await store.fire_changes.of(row, store.now)
    gone = [one.due for one in changes if compiled is None or not has_fire(compiled, one.due)]
    return tuple(dict.fromkeys(gone))


async def _saved(store: TenantStore, name: str | None, body: Body) -> ScheduleRow | None:
    if name is None:
        return None
    try:
        return await store.schedules.get(name)
    except NotFound as error:
        raise body.refuse(("name",), str(error), code="not_found") from None
