"""What is asked of the events."""

from api.caller import Caller
from api.cursor import read_cursor, write_cursor
from api.views.event import EventView, view_event
from api.views.listing import PageOf
from cronny.store.events import EventFilter


async def list_events(
    caller: Caller, wanted: EventFilter, cursor: str | None, limit: int
) -> PageOf[EventView]:
    """A page of the events, the latest first; raises Invalid for the cursor."""
    before = read_cursor(cursor) if cursor else None
    async with caller.read() as store:
        found = await store.events.page(wanted, before, limit + 1)
    last = found[limit - 1].row if len(found) > limit else None
    return PageOf(
        items=tuple(view_event(event) for event in found[:limit]),
        next=write_cursor(last.at, last.id) if last is not None else None,
    )
