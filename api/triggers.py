"""What is asked of the ledger."""

import re
from collections.abc import Sequence

from api.caller import Caller
from api.cursor import read_cursor, write_cursor
from api.views.listing import PageOf
from api.views.stage import ItemView, Records, is_sensitive, view_item
from api.views.trigger import TriggerDetail, TriggerView, view_trigger, view_trigger_detail
from cronny.errors import Invalid, NotFound
from cronny.store.filtering import Filter
from cronny.store.item_tables import ItemState
from dsl.problems import Problem

_ID = re.compile(r"trg_[a-z0-9]{1,60}", re.ASCII)
_STAGE = re.compile(r"[a-z0-9_.]{1,200}", re.ASCII)


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
    require_id(trigger_id)
    async with caller.read() as store:
        entry = await store.triggers.get(trigger_id)
        records = Records(
            await store.triggers.stages(entry),
            await store.triggers.item_counts(entry),
            await store.triggers.failed_attempts(entry),
        )
        version = await store.triggers.version(entry)
        reruns = await store.triggers.reruns(entry)
    return view_trigger_detail(entry, records, version, reruns)


async def list_items(
    caller: Caller, place: tuple[str, str], states: Sequence[ItemState], cursor: str | None, limit: int
) -> PageOf[ItemView]:
    """A page of the items of a stage, in their order; raises NotFound, and Invalid for the cursor."""
    trigger_id, stage = place
    require_id(trigger_id)
    require_stage(stage)
    after = _read_number(cursor) if cursor else -1
    async with caller.read() as store:
        entry = await store.triggers.get(trigger_id)
        found = await store.triggers.items(entry, stage, states, after, limit + 1)
        version = await store.triggers.version(entry)
        if not found and stage not in await store.triggers.item_counts(entry):
            raise NotFound(f"stage '{stage}' of this trigger has no items")
    is_hidden = is_sensitive(version, stage)
    return PageOf(
        items=tuple(view_item(row, trigger_id, is_hidden) for row in found[:limit]),
        next=str(found[limit - 1].item) if len(found) > limit else None,
    )


def require_id(trigger_id: str) -> None:
    """Refuse what cannot be the id of a trigger; raises NotFound."""
    if _ID.fullmatch(trigger_id) is None:
        raise NotFound("there is no such trigger")


def require_stage(stage: str) -> None:
    """Refuse what cannot be the id of a stage; raises NotFound."""
    if _STAGE.fullmatch(stage) is None:
        raise NotFound("there is no such stage")


def _read_number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        hint = "take it from the page before, as it is"
        raise Invalid([Problem("query.cursor", "this is no cursor of ours", hint, "cursor")])
    return int(cursor)
