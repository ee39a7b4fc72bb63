"""The activities that execute stages: hold, claim, execute, record, judge."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.action_cache import LoadedAction
from activities.attempt import Log, Prepared, execute, prepare
from activities.hold import beat
from activities.masking import Masker
from activities.retrying import retry_delay
from activities.runtime import Runtime
from activities.scope import Variables, trigger_scope
from activities.stages.kind import StageError
from activities.verdicts import judge
from cronny.store.claims import Claim
from cronny.store.records import StageEnd, TriggerRecords
from cronny.store.tables import StageRow, StageState
from dsl.action import Stage
from workflows.messages import StageCall, StageResult, StageStatus

UNCLAIMED = StageResult(status="unclaimed")


@dataclass(frozen=True)
class _Work:
    """One stage of one trigger, loaded."""

    call: StageCall
    loaded: LoadedAction
    records: TriggerRecords

    @property
    def stage(self) -> Stage:
        return self.loaded.stages[self.call.stage_id]

    @property
    def record(self) -> StageRow | None:
        return self.records.stages.get(self.call.stage_id)


@dataclass(frozen=True)
class _Outcome:
    """What came of an attempt, as it will be recorded."""

    status: StageStatus
    input: JsonValue
    output: JsonValue
    error: JsonValue
    variables: Variables


class StageRunner:
    """Implements the ports `run_stage`, `run_pure_stage` and `skip_stage`."""

    def __init__(self, runtime: Runtime, luck: Callable[[], float] = random.random) -> None:
        self._runtime = runtime
        self._parts = runtime.parts
        self._luck = luck

    @activity.defn(name="run_stage")
    async def run_stage(self, call: StageCall) -> StageResult:
        """Execute a stage; roots first hold until the due and claim the trigger."""
        heartbeat = asyncio.create_task(beat())
        try:
            return await self._run(call)
        finally:
            heartbeat.cancel()
            with suppress(asyncio.CancelledError):
                await heartbeat

    @activity.defn(name="run_pure_stage")
    async def run_pure_stage(self, call: StageCall) -> StageResult:
        """Execute a stage without side effects."""
        return await self._run(call)

    @activity.defn(name="skip_stage")
    async def skip_stage(self, call: StageCall) -> StageResult:
        """Record a stage as skipped and judge its outgoing connectors."""
        work = await self._load(call)
        await self._runtime.stage_starts.submit((call.fire.trigger_id, call.stage_id))
        variables = trigger_scope(call.fire, work.records)
        return await self._end(work, _Outcome("skipped", None, None, None, variables), 0, Log(Masker(())))

    async def _run(self, call: StageCall) -> StageResult:
        work = await self._load(call)
        if work.record is not None and work.record.finished_at is not None:
            return _recorded(work.record)
        prepared = await self._prepare(work)
        if not await self._may_start(call):
            return UNCLAIMED
        attempt = work.record.attempt if work.record is not None else 1
        log = Log(prepared.masker if isinstance(prepared, Prepared) else Masker(()))
        outcome = await self._attempt(work, prepared, attempt, log)
        return await self._end(work, outcome, attempt, log)

    async def _load(self, call: StageCall) -> _Work:
        fire = call.fire
        loaded = await self._runtime.actions.get(fire.action_id, fire.version)
        records = await self._runtime.records.submit(fire.trigger_id)
        if records is None:
            raise ApplicationError(f"the ledger has no trigger {fire.trigger_id}", non_retryable=True)
        return _Work(call, loaded, records)

    async def _prepare(self, work: _Work) -> Prepared | StageError:
        # A mistake found ahead of the due is the stage's result at the due, not before it.
        try:
            return await prepare(self._parts, work.loaded, work.call, work.records)
        except StageError as error:
            return error

    async def _may_start(self, call: StageCall) -> bool:
        fire = call.fire
        if not call.is_root:
            await self._runtime.stage_starts.submit((fire.trigger_id, call.stage_id))
            return True
        await self._runtime.holds.until(fire.due)
        wish = Claim(fire.trigger_id, fire.generation, call.run_id, call.stage_id)
        return (await self._runtime.claims.submit(wish)).may_run

    async def _attempt(self, work: _Work, prepared: Prepared | StageError, attempt: int, log: Log) -> _Outcome:
        variables = trigger_scope(work.call.fire, work.records)
        rendered: JsonValue = None
        try:
            if isinstance(prepared, StageError):
                raise prepared
            variables, rendered = prepared.variables, prepared.rendered
            if prepared.with_ is None:
                return _Outcome("skipped", None, None, None, variables)
            until = self._deadline(work)
            output = await execute(self._parts, work.stage, prepared, work.call, attempt, until, log)
            output = await self._shaped(work.stage, output, variables)
            return _Outcome("completed", rendered, log.masker.value(output), None, variables)
        except StageError as error:
            await self._retry(work, error, attempt, rendered, log)
            return _Outcome("failed", rendered, None, _described(error, log.masker), variables)

    def _deadline(self, work: _Work) -> datetime:
        return (work.records.trigger.started_at or self._parts.clock()) + work.loaded.action.timeout

    async def _shaped(self, stage: Stage, output: JsonValue, variables: Variables) -> JsonValue:
        if stage.output is None:
            return output
        return await self._parts.evaluator.render(stage.output, {**variables, "output": output})

    async def _retry(
        self, work: _Work, error: StageError, attempt: int, rendered: JsonValue, log: Log
    ) -> None:
        """Record the failed attempt and ask Temporal for the next one, if there is to be one."""
        now = self._parts.clock()
        delay = retry_delay(work.stage.retry or None, error, attempt, now, self._deadline(work), self._luck())
        if delay is None:
            return
        description = _described(error, log.masker)
        end = StageEnd(
            trigger_id=work.call.fire.trigger_id, stage_id=work.stage.id, state=StageState.STARTED,
            attempt=attempt + 1, finished_at=None, input=rendered, output=None, error=description, fired=(),
            log=log.text(),
        )  # fmt: skip
        await self._runtime.stage_ends.submit(end)
        raise ApplicationError(f"attempt {attempt} failed: {error.code}", type="retry", next_retry_delay=delay)

    async def _end(self, work: _Work, outcome: _Outcome, attempt: int, log: Log) -> StageResult:
        status, fired, error = await judge(
            self._parts.evaluator, work.loaded, work.stage, outcome.status, outcome.output, outcome.error,
            attempt, outcome.variables,
        )  # fmt: skip
        end = StageEnd(
            trigger_id=work.call.fire.trigger_id, stage_id=work.stage.id, state=StageState(status),
            attempt=attempt, finished_at=self._parts.clock(), input=outcome.input, output=outcome.output,
            error=error, fired=fired, log=log.text(),
        )  # fmt: skip
        await self._runtime.stage_ends.submit(end)
        return StageResult(status=status, fired=fired)


def _recorded(record: StageRow) -> StageResult:
    fired = tuple(int(str(index)) for index in record.fired) if isinstance(record.fired, list) else ()
    return StageResult.model_validate({"status": str(record.state), "fired": fired})


def _described(error: StageError, masker: Masker) -> JsonValue:
    details = {"details": error.details} if error.details is not None else {}
    return masker.value({"code": error.code, "message": error.message, **details})
