"""From a call to its work: the action version, and the records that the stage reads."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from temporalio.exceptions import ApplicationError

from activities.action_cache import LoadedAction
from activities.resolving import read_variables
from activities.runtime import Runtime
from activities.scope import Variables
from activities.stages.kind import StageError
from activities.work import Work
from cronny.store.item_tables import AttemptRow, ItemRow
from cronny.store.items import ItemKey
from cronny.store.records import Begin, TriggerRecords
from workflows.messages import StageCall

SHARED = 32  # stages whose items share what was read for them; each may hold some megabytes


@dataclass(frozen=True)
class _Read:
    """What was read for a call."""

    records: TriggerRecords
    outside: Variables
    lacks: StageError | None  #: If a large output could not be had.


class Loader:
    """Loads what calls ask for, and writes down that it has begun."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._shared: OrderedDict[tuple[str, str, str], asyncio.Task[_Read]] = OrderedDict()

    async def load(self, call: StageCall) -> Work:
        """What the call needs; raises ApplicationError if the ledger does not know of it."""
        fire = call.fire
        loaded = await self._runtime.actions.get(fire.action_id, fire.version)
        if call.item is not None:
            read = await self._of_all_items(call, loaded)
            item = await self._item(call, call.item)
            return Work(call, loaded, read.records, item, outside=read.outside, lacks=read.lacks)
        read = await self._read(call, loaded)
        followed = await self._followed(call)
        return Work(call, loaded, read.records, followed=followed, outside=read.outside, lacks=read.lacks)

    async def _read(self, call: StageCall, loaded: LoadedAction) -> _Read:
        records = _known(await self._records(call, loaded), call)
        needs, tenant = _needs(call, loaded), records.trigger.tenant_id
        rows = [row for name, row in records.stages.items() if name in needs]
        lacks: StageError | None = None
        try:
            await self._runtime.blobs.fill(tenant, rows)
        except StageError as error:
            lacks = error
        outside = await read_variables(self._runtime.parts, records.trigger, loaded.outside.vars)
        return _Read(records, outside, lacks)

    async def _records(self, call: StageCall, loaded: LoadedAction) -> TriggerRecords | None:
        """What was recorded of use to it; a stage that is no root, and so claims nothing, is now started."""
        if call.is_root:
            return await self._runtime.records.submit(call.fire.trigger_id)
        if call.outcome is not None:  # What stands behind the graph begins only if this run had the trigger.
            found = await self._runtime.records.submit(call.fire.trigger_id)
            if found is None or found.trigger.run_id != call.run_id:
                return found
        return await self._runtime.stage_starts.submit(
            Begin(call.fire.trigger_id, call.record_id, _needs(call, loaded))
        )

    async def _of_all_items(self, call: StageCall, loaded: LoadedAction) -> _Read:
        """What the items of a stage read besides their own records: once, so that it is the same for all."""
        key = (call.fire.trigger_id, call.record_id, call.run_id)
        task = self._shared.get(key)
        if task is None:
            task = self._shared[key] = asyncio.create_task(self._read(call, loaded))
        self._shared.move_to_end(key)
        if len(self._shared) > SHARED:
            self._shared.popitem(last=False)
        try:
            return await asyncio.shield(task)
        except BaseException:
            self._shared.pop(key, None)
            raise

    async def _item(self, call: StageCall, number: int) -> ItemRow:
        key = ItemKey(call.fire.trigger_id, call.record_id, number)
        row = await self._runtime.item_starts.submit(key)
        if row is None:
            what = f"the ledger has no item {number} of {call.record_id} of {call.fire.trigger_id}"
            raise ApplicationError(what, non_retryable=True)
        return row

    async def _followed(self, call: StageCall) -> AttemptRow | None:
        if call.branch is None:
            return None
        return await self._runtime.failed_attempt(
            call.fire.trigger_id, call.branch.source, call.branch.attempt
        )


def _needs(call: StageCall, loaded: LoadedAction) -> frozenset[str]:
    needs = loaded.needs[call.stage_id]
    if call.branch is not None:
        needs |= {stage + call.suffix for stage in needs}
    if call.outcome is not None:
        needs |= set(call.outcome.failed[:1])
    return needs


def _known(records: TriggerRecords | None, call: StageCall) -> TriggerRecords:
    if records is None:
        raise ApplicationError(f"the ledger has no trigger {call.fire.trigger_id}", non_retryable=True)
    return records
