"""Single values of the ledger, of whatever size: sent as they are read, never held as a whole."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus

from pydantic import JsonValue
from starlette.responses import Response, StreamingResponse

from api.caller import Caller
from api.triggers import require_id, require_stage
from api.views.stage import is_sensitive
from cronny.blobs import Lost, Place
from cronny.errors import Forbidden, NotFound
from cronny.store.blobs import Large, larges_of
from cronny.store.columns import json_text
from cronny.store.tables import TriggerState


@dataclass(frozen=True)
class Wanted:
    """A value of a trigger's stage, or of one of its items."""

    trigger_id: str
    stage: str
    field: str  #: `input` or `output`.
    item: int | None = None

    @property
    def name(self) -> str:
        """What a file with it is called."""
        of_item = "" if self.item is None else f".{self.item}"
        return f"{self.trigger_id}.{self.stage}{of_item}.{self.field}"


async def send_outputs(caller: Caller, trigger_id: str) -> Response:
    """What a trigger gave; raises NotFound, and Unavailable."""
    require_id(trigger_id)
    async with caller.read() as store:
        row = (await store.triggers.get(trigger_id)).trigger
    if row.state is not TriggerState.COMPLETED:
        raise NotFound(f"this trigger is {row.state}, and so it has no outputs")
    return await _sent(caller, row.outputs, larges_of(row.large).get("outputs"), f"{trigger_id}.outputs")


async def send_value(caller: Caller, wanted: Wanted) -> Response:
    """A value of a stage; raises NotFound, Forbidden for a sensitive one, and Unavailable."""
    require_id(wanted.trigger_id)
    require_stage(wanted.stage)
    async with caller.read() as store:
        entry = await store.triggers.get(wanted.trigger_id)
        row = await store.triggers.record(entry, wanted.stage, wanted.item)
        version = await store.triggers.version(entry)
    if is_sensitive(version, wanted.stage):
        raise Forbidden(f"stage '{wanted.stage}' is sensitive: nobody is shown its values")
    if wanted.field == "output" and row.state != "completed":
        raise NotFound(f"stage '{wanted.stage}' is {row.state}, and so it has no output")
    large = larges_of(row.large).get(wanted.field)
    return await _sent(caller, getattr(row, wanted.field), large, wanted.name)


async def _sent(caller: Caller, value: JsonValue, large: Large | None, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
    if large is None:
        return Response(json_text(value), media_type="application/json", headers=headers)
    pieces = caller.parts.blobs.read(Place(caller.tenant.id, large.id), large.size)
    try:
        first = await anext(pieces)  # What cannot be read is refused, before anything is sent.
    except Lost as error:
        raise NotFound("this value is kept no longer") from error
    return StreamingResponse(
        _joined(first, pieces),
        HTTPStatus.OK,
        {**headers, "Content-Length": str(large.size)},
        media_type="application/json",
    )


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
