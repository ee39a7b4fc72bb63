"""What became of the stages of an earlier trigger, to stand in for them in a test."""

import json
from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from api.body import Body
from api.caller import Caller
from cronny.blobs import Lost, Place, read_whole
from cronny.errors import NotFound
from cronny.store.blobs import larges_of
from cronny.store.columns import json_text
from cronny.store.item_tables import ItemRow, ItemState
from cronny.store.tables import StageRow, StageState
from dsl.rehearsal import Given, GivenError

MOST_ITEMS = 10_000  # of a stage whose recorded items stand in for it
MOST_RECORDED = 4 * 1024 * 1024  # characters of the outputs that are taken from another trigger


async def read_recorded(caller: Caller, trigger_id: str, body: Body) -> Mapping[str, Given]:
    """How each stage of a trigger ended; raises NotFound, Unavailable, and Invalid when it is too much."""
    async with caller.read() as store:
        entry = await store.triggers.get(trigger_id)
        rows = await store.triggers.stages(entry)
        items = {
            name: await store.triggers.items(entry, name, (), -1, MOST_ITEMS + 1)
            for name in await store.triggers.item_counts(entry)
        }
    kept = [larges_of(one.large).get("output") for one in _ended(rows, items)]
    _require_little(sum(large.size for large in kept if large is not None), body)
    found: dict[str, Given] = {}
    for row in rows:
        if (of_stage := items.get(row.stage_id)) is not None:
            if len(of_stage) <= MOST_ITEMS and all(one.state is ItemState.COMPLETED for one in of_stage):
                found[row.stage_id] = Given(items=tuple([await _output(caller, one) for one in of_stage]))
        elif row.state is StageState.COMPLETED:
            found[row.stage_id] = Given(output=await _output(caller, row))
        elif row.state is StageState.FAILED and isinstance(row.error, dict):
            found[row.stage_id] = Given(error=_error(row.error))
    _require_little(len(json_text({name: one.model_dump(mode="json") for name, one in found.items()})), body)
    return found


def _ended(rows: Iterable[StageRow], items: Mapping[str, Iterable[ItemRow]]) -> Iterable[StageRow | ItemRow]:
    """The records whose outputs are taken."""
    for row in rows:
        yield from items.get(row.stage_id, [row])


async def _output(caller: Caller, row: StageRow | ItemRow) -> JsonValue:
    large = larges_of(row.large).get("output")
    if large is None:
        return row.output
    place = Place(caller.tenant.id, large.id)
    try:
        value: JsonValue = json.loads(await read_whole(caller.parts.blobs, place, large.size))
    except Lost as error:
        raise NotFound(f"the output of stage '{row.stage_id}' is kept no longer") from error
    return value


def _error(error: Mapping[str, JsonValue]) -> GivenError:
    code, message = str(error.get("code", "internal")), str(error.get("message", ""))
    return GivenError(code=code, message=message, details=error.get("details"))


def _require_little(size: int, body: Body) -> None:
    if size > MOST_RECORDED:
        what = f"has outputs of {size} characters; {MOST_RECORDED} can be taken over"
        raise body.refuse(("from_trigger",), what, "give the outputs that matter", "too_large")
