"""What the API shows of a schedule."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from activities.rules import Rule, RuleCache
from api.views.fire import has_fire
from api.views.listing import View
from cronny.errors import Invalid
from cronny.names import instant_text, schedule_workflow
from cronny.scheduling import planned, upcoming
from cronny.scheduling.walltime import ClockChange
from cronny.store.tables import ChangeKind, FireChange, ScheduleRow, ScheduleState
from cronny.store.tenant_store import TenantStore
from dsl.describe import describe


class ScheduleView(View):
    """A schedule and how far it has come."""

    name: str
    action: str = Field(description="The action it triggers.")
    schedule: JsonValue = Field(description="The rule as it was given.", examples=["every 5 minutes"])
    description: str = Field(description="The rule in plain language.")
    embedded: bool = Field(description="Written in the action's text, where alone it can be changed.")
    state: ScheduleState = Field(description="`pending`, `scheduled` or `processed`.")
    paused: bool
    note: str = Field(description="Why it is paused.")
    paused_until: datetime | None = Field(description="When the pause ends by itself.")
    next_due: datetime | None = Field(description="The first fire that is not in the ledger yet.")
    last_due: datetime | None = Field(description="The latest fire that is in the ledger.")
    generation: int = Field(description="Counts the changes of the rule and of the pause.")
    workflow_id: str = Field(description="Its workflow in Temporal.")
    created: datetime
    updated: datetime


class SavedSchedule(ScheduleView):
    """A schedule as it was saved."""

    void_changes: tuple[datetime, ...] = Field(
        description="The dues of changed single fires that the rule does not have any more."
    )


class UpcomingFire(View):
    """A fire to come."""

    due: datetime = Field(description="In UTC.")
    local: datetime = Field(description="On the clocks of the schedule's zone.")
    clock_change: ClockChange | Literal[""] = Field(
        description="`gap`: its wall time is skipped that day, it fires as the gap ends; "
        "`overlap`: its wall time is shown twice that day."
    )
    planned: datetime = Field(description="When it is to start: moved, or with jitter and spread, later.")
    skipped: bool = Field(description="Somebody asked to leave it out.")
    moved: bool = Field(description="Somebody asked to let it happen when it is planned.")
    other_inputs: bool = Field(description="Somebody asked to give it other inputs than the others.")
    note: str = Field(description="Why somebody asked for that.")


class Upcoming(View):
    """The next fires of a schedule."""

    schedule: str
    timezone: str
    fires: tuple[UpcomingFire, ...]
    note: str = Field("", description="Why they will not happen as things stand.")


def view_schedule(row: ScheduleRow, action: str, store: TenantStore, rules: RuleCache) -> ScheduleView:
    """A schedule as it stands."""
    return ScheduleView(
        name=row.name,
        action=action,
        schedule=row.source,
        description=_description(row, rules),
        embedded=row.is_embedded,
        state=row.state(store.now),
        paused=row.is_paused,
        note=row.note,
        paused_until=row.paused_until,
        next_due=row.next_due,
        last_due=row.last_due,
        generation=row.generation,
        workflow_id=schedule_workflow(store.tenant.slug, row.name),
        created=row.created_at,
        updated=row.updated_at,
    )


def view_upcoming(
    row: ScheduleRow, rule: Rule, changes: Sequence[FireChange], after: datetime, count: int
) -> Upcoming:
    """The next fires after an instant, as operators changed them."""
    asked = _by_due(changes)
    put_off = [due for due in asked if due <= after and has_fire(rule.compiled, due)]
    dues = [*put_off, *upcoming(rule.compiled, after, count)]
    found = [view_fire(row, rule, due, asked.get(due, {})) for due in dues]
    fires = tuple(fire for fire in found if fire.planned > after)[:count]
    why = f": {row.note}" if row.note else ""
    end = instant_text(row.paused_until) if row.paused_until is not None else "it is resumed"
    note = f"paused{why}; nothing fires before {end}" if row.is_paused else ""
    return Upcoming(schedule=row.name, timezone=rule.schedule.timezone, fires=fires, note=note)


def view_fire(
    row: ScheduleRow, rule: Rule, due: datetime, asked: Mapping[ChangeKind, FireChange]
) -> UpcomingFire:
    """A fire to come, on the clocks of its schedule."""
    compiled = rule.compiled
    move = asked.get(ChangeKind.MOVE)
    moved_to = move.moved_to if move else None
    return UpcomingFire(
        due=due,
        local=compiled.local(due),
        clock_change=compiled.touched(due) or "",
        planned=moved_to or planned(rule.schedule, row.id, due, compiled.next(due)),
        skipped=ChangeKind.SKIP in asked,
        moved=moved_to is not None,
        other_inputs=ChangeKind.INPUTS in asked,
        note="; ".join(change.note for change in asked.values() if change.note),
    )


def _by_due(changes: Sequence[FireChange]) -> dict[datetime, dict[ChangeKind, FireChange]]:
    found: dict[datetime, dict[ChangeKind, FireChange]] = {}
    for change in changes:
        found.setdefault(change.due, {})[change.kind] = change
    return found


def _description(row: ScheduleRow, rules: RuleCache) -> str:
    try:
        return describe(rules.read(row))
    except Invalid:  # Written by a version that knew more; it is still to be seen and deleted.
        return ""
