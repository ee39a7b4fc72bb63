"""What the API shows of an event."""

from datetime import datetime

from pydantic import Field, JsonValue

from api.views.listing import View
from cronny.store.events import Event


class EventView(View):
    """Something that was done."""

    id: str
    at: datetime
    kind: str = Field(description="What was done, such as `schedule_paused`.")
    actor: str = Field(description="Who did it: the name of an API key, or `watchdog`.")
    note: str = Field(description="Why, if somebody said so.")
    action: str | None
    schedule: str | None
    trigger: str | None = Field(description="The id of the trigger it is about.")
    details: JsonValue = Field(description="What else there is to know, by kind.")


def view_event(event: Event) -> EventView:
    """An event as a list shows it."""
    row = event.row
    return EventView(
        id=row.id,
        at=row.at,
        kind=row.kind,
        actor=row.actor,
        note=row.note,
        action=event.action,
        schedule=event.schedule,
        trigger=row.trigger_id,
        details=row.details,
    )
