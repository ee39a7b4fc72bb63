"""What the API shows of a schedule."""

from datetime import datetime

from pydantic import Field, JsonValue

from activities.rules import RuleCache
from api.views.listing import View
from cronny.errors import Invalid
from cronny.names import instant_text, schedule_workflow
from cronny.scheduling import upcoming
from cronny.store.tables import ScheduleRow, ScheduleState
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


class UpcomingFire(View):
    """A fire to come."""

    due: datetime = Field(description="In UTC.")
    local: datetime = Field(description="On the clocks of the schedule's zone.")


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


def view_upcoming(row: ScheduleRow, rules: RuleCache, after: datetime, count: int) -> Upcoming:
    """The next fires after an instant; raises Invalid when the rule cannot be read any more."""
    rule = rules.get(row)
    dues = upcoming(rule.compiled, after, count)
    fires = tuple(UpcomingFire(due=due, local=rule.compiled.local(due)) for due in dues)
    why = f": {row.note}" if row.note else ""
    end = instant_text(row.paused_until) if row.paused_until is not None else "it is resumed"
    note = f"paused{why}; nothing fires before {end}" if row.is_paused else ""
    return Upcoming(schedule=row.name, timezone=rule.schedule.timezone, fires=fires, note=note)


def _description(row: ScheduleRow, rules: RuleCache) -> str:
    try:
        return describe(rules.get(row).schedule)
    except Invalid:  # Written by a version that knew more; it is still to be seen and deleted.
        return ""
