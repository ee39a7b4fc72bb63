"""Why a schedule fired, did not, or will."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from api.caller import Caller
from api.views.why import WhyView, view_why
from cronny.errors import Invalid
from cronny.scheduling.datesets import Dates, DateSet
from cronny.store.past import Group
from cronny.store.tables import EventKind, EventRow, FireChange, ScheduleRow, TriggerRow, TriggerState
from cronny.store.tenant_store import TenantStore
from cronny.why import (
    Asked,
    Change,
    Facts,
    Mark,
    Past,
    Tally,
    explain,
    mark_of,
    named_calendars,
    read_asked,
    read_life,
)
from dsl.problems import Problem
from dsl.zones import zone

# What is done about a trigger and settles nothing.
UNSETTLING = (
    EventKind.TRIGGER_REQUESTED,
    EventKind.TRIGGER_STARTED,
    EventKind.APPROVAL_REQUESTED,
    EventKind.APPROVAL_GIVEN,
    EventKind.APPROVAL_REFUSED,
    EventKind.APPROVAL_EXPIRED,
    EventKind.APPROVAL_WITHDRAWN,
    EventKind.WAIT_CALLED,
)
_BLOCKED = ("queued", "overlap")  # reasons that another trigger is behind


async def explain_schedule(caller: Caller, name: str, at: str) -> WhyView:
    """What there is to say about a schedule at some time; raises NotFound, and Invalid for the time."""
    async with caller.read() as store:
        row = await store.past.schedule(name)
        events = await store.past.life(row)
        calendars = await _calendars(caller, store, named_calendars(row, events))
        past = read_life(row, events, calendars)
        asked = _asked(at, zone(past.versions[-1].schedule.timezone))
        facts = replace(await _facts(store, row, events, past, asked), calendars=calendars)
        entry = await store.triggers.get(facts.row.id) if facts.row is not None else None
    return view_why(row.name, facts, explain(facts), entry)


async def _calendars(caller: Caller, store: TenantStore, names: Collection[str]) -> Mapping[str, DateSet]:
    """The calendars as they are now; one that there is no longer has no dates."""
    held = caller.parts.rules.dates(await store.calendars.contents(names))
    return {name: held.get(name) or Dates(frozenset()) for name in names}


async def _facts(
    store: TenantStore, schedule: ScheduleRow, events: Sequence[EventRow], past: Past, asked: Asked
) -> Facts:
    spans = [(span.first, span.end) for span in asked.spans]
    groups = await store.past.groups(schedule, spans)
    is_one = sum(group.rows for group in groups) <= 1
    row = await store.past.fire(schedule, spans) if is_one else None
    about = await store.past.about(row) if row is not None else ()
    return Facts(
        asked=asked,
        now=store.now,
        past=past,
        cursor=schedule.cursor,
        retention=timedelta(days=store.tenant.retention_days),
        schedule_id=schedule.id,
        row=row,
        tallies=() if is_one else tuple(_tally(group) for group in groups),
        requested=_first(about, EventKind.TRIGGER_REQUESTED),
        settled=_settled(row, about, events) if row is not None else None,
        changes=tuple(_change(one) for one in await store.fire_changes.of(schedule)),
        backfill=await store.past.backfill(schedule, spans) if is_one else None,
        before=await store.past.before(row) if row is not None and row.reason in _BLOCKED else None,
        stage=await store.past.stage(row) if row is not None and row.state is TriggerState.EXECUTING else "",
    )


def _asked(text: str, place: ZoneInfo) -> Asked:
    try:
        return read_asked(text, place)
    except ValueError:
        hint = "such as 2026-11-24T09:00:00Z, or on the clocks of the schedule 2026-11-24 09:00 or 2026-11-24"
        raise Invalid([Problem("query.at", "this is no instant, minute or day", hint, "instant")]) from None


def _change(row: FireChange) -> Change:
    return Change(row.kind, row.due, Mark(row.at, row.actor, row.note), row.moved_to)


def _tally(group: Group) -> Tally:
    return Tally(group.state, group.fires, group.last)


def _first(about: Sequence[EventRow], kind: EventKind) -> Mark | None:
    return next((mark_of(event) for event in about if event.kind == kind), None)


def _settled(row: TriggerRow, about: Sequence[EventRow], life: Sequence[EventRow]) -> Mark | None:
    """What settled a trigger: done about itself, or at the very instant to its schedule."""
    own = [event for event in about if event.kind not in UNSETTLING]
    same = [event for event in life if event.at == row.finished_at]
    return next((mark_of(event) for event in [*own[::-1], *same]), None)
