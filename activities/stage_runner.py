"""The activities that execute stages: hold, claim, execute, record, judge."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.action_cache import LoadedAction
from activities.attempt import Log, Prepared, execute, prepare
from activities.hold import beat
from activities.joining import Joined
from activities.killing import end_killed
from activities.masking import Masker
from activities.resolving import read_variables
from activities.retrying import retry_delay
from activities.runtime import Runtime
from activities.scope import Ended, Sight, sight_of
from activities.stages.kind import StageError
from activities.verdicts import judge
from cronny.store import claims
from cronny.store.claims import Claim, Verdict, VerdictKind
from cronny.store.records import StageEnd, TriggerRecords
from cronny.store.tables import StageRow, StageState, TriggerState
from dsl.action import Retry, Stage
from workflows.messages import Execution, StageCall, StageResult

# Temporal gives a silent attempt up after ten seconds: what was read so long ago may have been changed since.
STALE = timedelta(seconds=5)
UNCLAIMED = StageResult(status="unclaimed")
CLAIMED = Verdict(VerdictKind.RUN, TriggerState.EXECUTING, "")  # by the root stage before this one
CANCELLED = {"code": "cancelled", "message": "the trigger was cancelled"}


@dataclass(frozen=True)
class _Work:
    """One stage of one trigger, loaded."""

    call: StageCall
    loaded: LoadedAction
    records: TriggerRecords
    outside: Mapping[str, JsonValue]  #: The tenant's variables that the action uses.

    @property
    def stage(self) -> Stage:
        return self.loaded.stages[self.call.stage_id]

    @property
    def record(self) -> StageRow | None:
        return self.records.stages.get(self.call.stage_id)

    @property
    def sight(self) -> Sight:
        return sight_of(self.loaded, self.call.fire, self.records, self.outside)

    @property
    def attempt(self) -> int:
        return self.record.attempt if self.record is not None else 1


@dataclass(frozen=True)
class _Outcome:
    """What came of an attempt, as it will be recorded."""

    ended: Ended
    sight: Sight
    input: JsonValue = None


class StageRunner:
    """Implements the ports `run_stage`, `run_pure_stage` and `skip_stage`."""

    def __init__(self, runtime: Runtime, luck: Callable[[], float] = random.random) -> None:
        self._runtime = runtime
        self._parts = runtime.parts
        self._luck = luck
        self._executions: Joined[StageResult] = Joined()

    @activity.defn(name="run_stage")
    async def run_stage(self, call: StageCall) -> StageResult:
        """Execute a stage; roots first hold until the due and claim the trigger."""
        heartbeat = asyncio.create_task(beat())
        key = (call.fire.trigger_id, call.stage_id, call.run_id)
        try:
            return await self._executions.run(key, lambda: self._run(call), _is_given_up)
        except asyncio.CancelledError:
            await self._note_cancel(call)
            raise
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
        return await self._end(work, _Outcome(Ended("skipped"), work.sight), Log(Masker(())))

    async def _run(self, call: StageCall) -> StageResult:
        work = await self._load(call)
        if work.record is not None and work.record.finished_at is not None:
            return _recorded(work.record)
        prepared = await self._prepare(work)
        began = self._parts.clock()
        verdict = await self._verdict(call)
        if verdict.kind is VerdictKind.QUEUE:
            return StageResult(status="queued", cancel=_executions(verdict.cancel))
        if not verdict.may_run:
            return UNCLAIMED
        await end_killed(verdict.kill)
        self._count(work)
        if self._parts.clock() - max(began, call.fire.start_at) > STALE:
            work = await self._load(call)
            if work.record is not None and work.record.finished_at is not None:
                return _recorded(work.record)
        if isinstance(prepared, Prepared):
            self._runtime.uses.note(prepared.uses)
        log = Log(prepared.masker if isinstance(prepared, Prepared) else Masker(()))
        return await self._end(work, await self._attempt(work, prepared, log), log)

    async def _note_cancel(self, call: StageCall) -> None:
        """Record the end of a cancelled stage; one that its worker gives up is executed elsewhere."""
        if _is_given_up():
            return
        end = StageEnd(
            trigger_id=call.fire.trigger_id, stage_id=call.stage_id, state=StageState.FAILED, attempt=1,
            finished_at=self._parts.clock(), input=None, output=None, error=dict(CANCELLED), fired=(), log="",
        )  # fmt: skip
        await self._runtime.stage_ends.submit(end)

    async def _load(self, call: StageCall) -> _Work:
        fire = call.fire
        loaded = await self._runtime.actions.get(fire.action_id, fire.version)
        records = await self._records(call)
        if records is None:
            raise ApplicationError(f"the ledger has no trigger {fire.trigger_id}", non_retryable=True)
        tenant_id = records.trigger.tenant_id
        return _Work(call, loaded, records, await read_variables(self._parts, tenant_id, loaded.outside.vars))

    async def _records(self, call: StageCall) -> TriggerRecords | None:
        """What was recorded so far; a stage that is no root, and so claims nothing, is now started."""
        if call.is_root:
            return await self._runtime.records.submit(call.fire.trigger_id)
        return await self._runtime.stage_starts.submit((call.fire.trigger_id, call.stage_id))

    async def _prepare(self, work: _Work) -> Prepared | StageError:
        # A mistake found ahead of the due is the stage's result at the due, not before it.
        try:
            return await prepare(self._parts, work.loaded, work.call, work.records, work.outside)
        except StageError as error:
            return error

    async def _verdict(self, call: StageCall) -> Verdict:
        fire = call.fire
        if not call.is_root:
            return CLAIMED
        wish = Claim(fire.trigger_id, fire.generation, call.run_id, call.stage_id)
        start: datetime | None = fire.start_at
        while start is not None:
            await self._runtime.holds.until(start)
            verdict = await self._runtime.claim(wish)
            start = verdict.planned  # of one that is early: a clock was stepped back, or the start was moved
        return verdict

    def _count(self, work: _Work) -> None:
        """Count the claim of a trigger; of several root stages the first one speaks for it."""
        first = next(stage.id for stage in work.loaded.plan.stages if stage.is_root)
        if work.call.stage_id == first and work.records.trigger.state is TriggerState.SCHEDULED:
            self._parts.metrics.executing(work.call.fire.start_at, self._parts.clock())

    async def _attempt(self, work: _Work, prepared: Prepared | StageError, log: Log) -> _Outcome:
        attempt = work.attempt
        sight, rendered = work.sight, None
        try:
            if isinstance(prepared, StageError):
                raise prepared
            sight, rendered = prepared.sight, prepared.rendered
            if prepared.with_ is None:
                return _Outcome(Ended("skipped"), sight)
            until = self._deadline(work)
            output = await execute(self._parts, work.stage, prepared, work.call, attempt, until, log)
            output = await self._shaped(work.stage, log.masker.value(output), sight, log.masker)
            return _Outcome(Ended("completed", output, None, attempt), sight, rendered)
        except StageError as error:
            description = _described(error, log.masker)
            await self._retry(work, error, description, rendered, log)
            return _Outcome(Ended("failed", None, description, attempt), sight, rendered)

    def _deadline(self, work: _Work) -> datetime:
        now = self._parts.clock()
        deadline = (work.records.trigger.started_at or now) + work.loaded.action.timeout
        if work.stage.total_timeout is None:
            return deadline
        started = work.record.started_at if work.record is not None else now
        return min(deadline, started + work.stage.total_timeout)

    async def _shaped(self, stage: Stage, output: JsonValue, sight: Sight, masker: Masker) -> JsonValue:
        # What is shaped is masked before: an expression could make a secret into what nobody recognises.
        if stage.output is None:
            return output
        return masker.value(
            await self._parts.evaluator.render(stage.output, sight.at("output", output=output))
        )

    async def _retry(
        self, work: _Work, error: StageError, description: JsonValue, rendered: JsonValue, log: Log
    ) -> None:
        """Record the failed attempt and ask Temporal for the next one, if there is to be one."""
        retry, attempt = work.stage.retry, work.attempt
        delay = retry_delay(retry, error, attempt, self._parts.clock(), self._deadline(work), self._luck())
        if retry is None or delay is None or await self._is_excepted(work, retry, description):
            return
        end = StageEnd(
            trigger_id=work.call.fire.trigger_id, stage_id=work.stage.id, state=StageState.STARTED,
            attempt=attempt + 1, finished_at=None, input=rendered, output=None, error=description, fired=(),
            log=log.text(),
        )  # fmt: skip
        await self._runtime.stage_ends.submit(end)
        message = f"attempt {attempt} failed: {error.code}"
        raise ApplicationError(
            message, type="retry", next_retry_delay=delay, category=ApplicationErrorCategory.BENIGN
        )

    async def _is_excepted(self, work: _Work, retry: Retry, error: JsonValue) -> bool:
        if retry.unless is None:
            return False
        view = work.sight.at("retry", error=error, attempt=work.attempt)
        try:
            return await self._parts.evaluator.holds(retry.unless, view)
        except StageError:
            return True  # a condition that cannot be judged must not cause a second side effect

    async def _end(self, work: _Work, outcome: _Outcome, log: Log) -> StageResult:
        judgement = await judge(self._parts.evaluator, outcome.sight, work.stage, outcome.ended)
        ended = judgement.ended
        end = StageEnd(
            trigger_id=work.call.fire.trigger_id, stage_id=work.stage.id, state=StageState(ended.status),
            attempt=ended.attempts, finished_at=self._parts.clock(), input=outcome.input, output=ended.output,
            error=ended.error, fired=judgement.fired, log=log.text(),
        )  # fmt: skip
        await self._runtime.stage_ends.submit(end)
        return StageResult(status=ended.status, fired=judgement.fired)


def _is_given_up() -> bool:
    """Whether a cancelled attempt is to end only because somebody else executes the stage, or will."""
    details = activity.cancellation_details()
    return details is None or not details.cancel_requested


def _executions(found: Sequence[claims.Execution]) -> tuple[Execution, ...]:
    return tuple(Execution(workflow_id=one.workflow_id, run_id=one.run_id) for one in found)


def _recorded(record: StageRow) -> StageResult:
    fired = tuple(int(str(index)) for index in record.fired) if isinstance(record.fired, list) else ()
    return StageResult.model_validate({"status": str(record.state), "fired": fired})


def _described(error: StageError, masker: Masker) -> JsonValue:
    details = {"details": error.details} if error.details is not None else {}
    return masker.value({"code": error.code, "message": error.message, **details})
