"""What is asked of the ledger."""

import re

from api.caller import Caller
from api.cursor import read_cursor, write_cursor
from api.views.listing import PageOf
from api.views.trigger import TriggerDetail, TriggerView, view_trigger, view_trigger_detail
from cronny.errors import NotFound
from cronny.store.filtering import Filter

_ID = re.compile(r"trg_[a-z0-9]{1,60}", re.ASCII)


async def list_triggers(
    caller: Caller, wanted: Filter, cursor: str | None, limit: int
) -> PageOf[TriggerView]:
    """A page of the ledger, the latest dues first; raises Invalid for the cursor."""
    before = read_cursor(cursor) if cursor else None
    async with caller.read() as store:
        found = await store.triggers.page(wanted, before, limit + 1)
    last = found[limit - 1].trigger if len(found) > limit else None
    return PageOf(
        items=tuple(view_trigger(entry) for entry in found[:limit]),
        next=write_cursor(last.due, last.id) if last is not None else None,
    )


async def show_trigger(caller: Caller, trigger_id: str) -> TriggerDetail:
    """One ledger row with its stages; raises NotFound."""
    if _ID.fullmatch(trigger_id) is None:
        raise NotFound("there is no such trigger")
    async with caller.read() as store:
        entry = await store.triggers.get(trigger_id)
        stages = await store.triggers.stages(entry)
        version = await store.triggers.version(entry)
    return view_trigger_detail(entry, stages, version)
