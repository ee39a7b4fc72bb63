"""What is too large for the database: kept elsewhere once a stage has ended, loaded where it is needed."""

import asyncio
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from pydantic import JsonValue

from activities.stages.kind import StageError
from cronny.blobs import BlobStore, Lost, Place, read_whole
from cronny.clock import Clock
from cronny.errors import LimitReached, Unavailable
from cronny.names import new_id
from cronny.store.blobs import Large, Larges, add_blob, drop_blob, larges_of
from cronny.store.children import find_tenant
from cronny.store.columns import json_text
from cronny.store.database import Database
from cronny.store.item_tables import ItemRow
from cronny.store.items import Result
from cronny.store.limits import Limit, limit_of
from cronny.store.persist import persist
from cronny.store.tables import StageRow, TriggerRow

LARGE = 256 * 1024  # bytes of JSON; what is larger is kept elsewhere
ALWAYS = 16 * 1024  # bytes of JSON that no limit forbids, so that most outputs need not be measured
WIDEST = 12  # bytes that one character takes in JSON at the most
# Seconds between tries to reach the store, two minutes in all: the side effect has happened.
DELAYS: Sequence[float] = (0.2, 0.5, 1, 2, 4, *([8.0] * 14))

RowT = TypeVar("RowT", StageRow, ItemRow)


class Blobs:
    """The large values of a worker's triggers."""

    def __init__(
        self, database: Database, store: BlobStore, clock: Clock, delays: Sequence[float] = DELAYS
    ) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._delays = delays

    async def keep(self, tenant_id: str, trigger_id: str, values: Mapping[str, JsonValue]) -> Larges:
        """Those of the values that are kept elsewhere from now on, by name.

        Raises StageError when one is more than the tenant may have, and when it cannot be kept.
        """
        kept: dict[str, Large] = {}
        for name, value in values.items():
            if is_light(value, ALWAYS // WIDEST):
                continue
            content = await _encoded(value)
            if len(content) > ALWAYS and name != "input":
                await self._require_allowed(tenant_id, len(content))
            if len(content) > LARGE:
                kept[name] = await self._put(tenant_id, trigger_id, content)
        return kept

    async def load(self, tenant_id: str, large: Large) -> JsonValue:
        """A value; raises StageError if it is gone, and Unavailable."""
        try:
            content = await read_whole(self._store, Place(tenant_id, large.id), large.size)
        except Lost as error:
            raise StageError("storage", f"a large value is gone: {error}", retryable=False) from None
        value: JsonValue = await asyncio.to_thread(json.loads, content)
        return value

    async def fill(self, tenant_id: str, rows: Iterable[RowT]) -> None:
        """Put the outputs that are kept elsewhere back into records; raises StageError, and Unavailable."""
        for row in rows:
            if (large := larges_of(row.large).get("output")) is not None:
                row.output = await self.load(tenant_id, large)

    async def outputs_of(self, row: TriggerRow) -> JsonValue:
        """What a trigger gave; raises StageError, and Unavailable."""
        large = larges_of(row.large).get("outputs")
        return row.outputs if large is None else await self.load(row.tenant_id, large)

    async def filled(self, tenant_id: str, results: Collection[Result], most: int) -> Sequence[Result]:
        """The results of items with their outputs, unless those are more than `most` bytes together."""
        larges = {one.item: larges_of(one.large).get("output") for one in results}
        size = sum(large.size for large in larges.values() if large is not None)
        if size > most:
            what = f"the results are larger than {most >> 20} MB together; keep less of each with `output`"
            raise StageError("too_large", what, retryable=False)
        found: list[Result] = []
        for one in results:
            large = larges[one.item]
            output = one.output if large is None else await self.load(tenant_id, large)
            found.append(Result(one.item, one.state, output, one.error))
        return found

    async def _require_allowed(self, tenant_id: str, size: int) -> None:
        async with self._database.for_tenant(tenant_id).read() as session:
            most = limit_of(await find_tenant(session, tenant_id), Limit.OUTPUT_BYTES)
        if most is not None and size > max(most, ALWAYS):
            what = f"the output takes {size} bytes, and the tenant's limit '{Limit.OUTPUT_BYTES}' is {most}"
            raise StageError("too_large", f"{what}; keep less of it with `output`", retryable=False)

    async def _put(self, tenant_id: str, trigger_id: str, content: bytes) -> Large:
        # Written down first: what a process leaves behind that dies in between is deleted with its trigger.
        large, now = Large(new_id("blb", self._clock()), len(content)), self._clock()
        add = partial(add_blob, tenant_id=tenant_id, trigger_id=trigger_id, large=large, now=now)
        try:
            await persist(self._database, add)
        except LimitReached as error:
            what = f"it takes {len(content)} bytes: {error}; keep less with `output`"
            raise StageError("too_large", what, retryable=False) from None
        try:
            await self._written(Place(tenant_id, large.id), content)
        except Unavailable as error:
            drop = partial(drop_blob, trigger_id=trigger_id, blob_id=large.id, now=now)
            await persist(self._database, drop)
            what = f"the stage was executed, and {len(content)} bytes of it could not be kept: {error}"
            raise StageError("storage", what, retryable=False) from None
        return large

    async def _written(self, place: Place, content: bytes) -> None:
        for delay in self._delays:
            try:
                return await self._store.write(place, content)
            except Unavailable:
                await asyncio.sleep(delay)
        return await self._store.write(place, content)


def is_light(value: JsonValue, most: int) -> bool:
    """Whether a value has so few characters and parts, found out without going through all of a large one."""
    weight, rest = 0, [value]
    while rest:
        part = rest.pop()
        match part:
            case str():
                weight += len(part) + 1
            case dict():
                weight += sum(len(key) for key in part) + len(part) + 1
                rest.extend(part.values())
            case list():
                weight += len(part) + 1
                rest.extend(part)
            case _:
                weight += 2
        if weight > most:
            return False
    return True


async def _encoded(value: JsonValue) -> bytes:
    if is_light(value, LARGE // WIDEST):
        return json_text(value).encode()
    text = await asyncio.to_thread(json_text, value)  # Megabytes take a while: other stages go on.
    return text.encode()
