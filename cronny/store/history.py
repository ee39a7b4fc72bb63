"""What a schedule was at each time, as its own events tell it."""

from pydantic import JsonValue

from cronny.names import instant_text
from cronny.store.tables import EventKind, ScheduleRow
from cronny.store.tenant_store import TenantStore


async def note_saved(store: TenantStore, row: ScheduleRow, is_new: bool) -> None:
    """Write down that a schedule was saved, and as what."""
    kind = EventKind.SCHEDULE_CREATED if is_new else EventKind.SCHEDULE_CHANGED
    details: dict[str, JsonValue] = {
        "schedule": row.source,
        "anchor": instant_text(row.anchor),
        "paused": row.is_paused,
        "generation": row.generation,
    }
    await store.note(kind, row, details=details)
