"""The activities that execute stages, and the items of stages: hold, claim, execute, record, judge."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from pydantic import JsonValue
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.aftermath import Aftermath
from activities.attempt import Prepared, execute, prepare
from activities.hold import beat
from activities.joining import Joined
from activities.killing import end_killed, let_go
from activities.known import UNCLAIMED, is_yet_to_claim, known_result
from activities.loading import Loader
from activities.log import Log
from activities.masking import Masker
from activities.outcomes import Again, Outcome, described, kept, short_input
from activities.places import place_of
from activities.repeating import Opened, gather
from activities.retrying import retry_delay
from activities.runtime import Runtime
from activities.scope import Ended, Sight, failed_with
from activities.stages.kind import StageError
from activities.standing import StandIn, is_left_out, stand_in
from activities.verdicts import Judgement, judge, judge_retry
from activities.waits import Waits, Wish
from activities.work import CANCELLED, Work
from cronny.store import claims
from cronny.store.claims import Claim, Place, Verdict, VerdictKind
from cronny.store.live import OF_STAGE, Unit
from cronny.store.open_rows import WAITING
from cronny.store.records import StageEnd
from cronny.store.tables import StageState, TriggerState
from cronny.store.waits import WaitKey
from dsl.action import Retry, Stage
from workflows.messages import Execution, StageCall, StageResult

# Temporal gives a silent attempt up after ten seconds: what was read so long ago may have been changed since.
STALE = timedelta(seconds=5)
CLAIMED = Verdict(VerdictKind.RUN, TriggerState.EXECUTING, "")  # by the root stage before this one


class StageRunner:
    """Implements the ports `run_stage`, `run_pure_stage`, `abandon_stage`, `skip_stage`, `close_items`."""

    def __init__(self, runtime: Runtime, luck: Callable[[], float] = random.random) -> None:
        self._runtime = runtime
        self._parts = runtime.parts
        self._loader = Loader(runtime)
        self._luck = luck
        self._executions: Joined[StageResult] = Joined()
        self._waits = Waits(runtime)
        self._aftermath = Aftermath()

    @activity.defn(name="run_stage")
    async def run_stage(self, call: StageCall) -> StageResult:
        """Execute a stage; roots first hold until the due and claim the trigger."""
        heartbeat = asyncio.create_task(beat(self._arrived(call)))
        key = (call.fire.trigger_id, call.record_id, call.item, call.run_id)
        try:
            return await self._executions.run(key, lambda: self._run(call), _is_given_up)
        except asyncio.CancelledError:
            log = self._runtime.live.left_by(_unit(call))
            if not _is_given_up():  # One that its worker gives up is executed elsewhere.
                await self._note_cancel(call, log)
            raise
        finally:
            heartbeat.cancel()
            with suppress(asyncio.CancelledError):
                await heartbeat

    @activity.defn(name="run_pure_stage")
    async def run_pure_stage(self, call: StageCall) -> StageResult:
        """Execute a stage without side effects, or look after one that waits."""
        return await self._run(call)

    @activity.defn(name="abandon_stage")
    async def abandon_stage(self, call: StageCall) -> StageResult:
        """Give up a stage that waits, and what it has started."""
        await self._waits.abandon(_key(call))
        await self._note_cancel(call, Log(Masker(())))
        return StageResult(status="cancelled")

    @activity.defn(name="skip_stage")
    async def skip_stage(self, call: StageCall) -> StageResult:
        """Record a stage as skipped and judge its outgoing connectors."""
        work = await self._loader.load(call)
        return await self._end(work, Outcome(Ended("skipped"), work.sight), Log(Masker(())))

    @activity.defn(name="close_items")
    async def close_items(self, call: StageCall) -> StageResult:
        """Gather what became of a stage's items, and judge its outgoing connectors."""
        work = await self._loader.load(call)
        if (known := known_result(work)) is not None:
            return known
        try:
            results = await self._runtime.item_results(work.records.trigger, call.record_id)
            # Ten thousand results take a while to measure: other stages go on.
            ended = await asyncio.to_thread(gather, work.stage, results)
        except StageError as error:
            results, ended = (), failed_with(error)
        outcome = Outcome(ended, work.sight, {"items": len(results)})
        return await self._end(work, outcome, Log(Masker(())))

    async def _run(self, call: StageCall) -> StageResult:
        arrived = self._parts.clock()
        work = await self._loader.load(call)
        self._note_delay(work, arrived)
        known = known_result(work)
        if known is not None and not is_yet_to_claim(work):
            return known
        prepared = None if known is not None else await self._prepare(work)
        place = await self._place(work)
        if isinstance(place, StageError):
            prepared, place = place, None
        began = self._parts.clock()
        if (refusal := await self._claimed(work, place)) is not None:
            return refusal
        if known is not None or prepared is None:  # A re-run has taken it over; it claims all the same.
            return known or UNCLAIMED
        work, prepared = await self._pinned(work, prepared)
        if self._parts.clock() - max(began, call.fire.start_at) > STALE:
            work = await self._loader.load(call)
            if (known := known_result(work)) is not None:
                return known
        return await self._begin(work, prepared)

    async def _claimed(self, work: Work, place: Place | None) -> StageResult | None:
        """Hold, and claim the trigger; what to answer if it may not be executed now."""
        verdict = await self._verdict(work.call, place)
        await let_go(verdict.release)
        if verdict.kind is VerdictKind.QUEUE:
            return StageResult(status="queued", cancel=_executions(verdict.cancel))
        if not verdict.may_run:
            return UNCLAIMED
        await end_killed(verdict.kill)
        self._count(work)
        return None

    async def _begin(self, work: Work, prepared: Prepared | Opened | StageError) -> StageResult:
        """Execute a stage whose trigger is this run's."""
        if isinstance(prepared, Prepared):
            self._runtime.uses.note(prepared.uses)
        log = Log(prepared.masker if isinstance(prepared, Prepared) else Masker(()), self._parts.clock)
        if isinstance(prepared, Opened):
            return await self._open(work, prepared, log)
        room = self._runtime.room(work.call.fire.tenant)  # given up before its end is written down
        async with room, self._runtime.live.followed(_unit(work.call), work.attempt, log):
            outcome = await self._attempt(work, prepared, log)
        match outcome:
            case StageResult():
                return outcome
            case Again():
                return await self._try_again(work, outcome, log)
        return await self._end(work, outcome, log)

    async def _open(self, work: Work, opened: Opened, log: Log) -> StageResult:
        """Write the records of a stage's items; a stage without any has ended."""
        if opened.items is None or is_left_out(work):
            return await self._end(work, Outcome(Ended("skipped"), opened.sight), log)
        if not opened.items:
            return await self._end(work, Outcome(Ended("completed", [], None, 1), opened.sight), log)
        call = work.call
        await self._runtime.add_items(work.records.trigger, call.record_id, opened.items)
        return StageResult(status="opened", items=len(opened.items))

    def _arrived(self, call: StageCall) -> timedelta:
        """How long the stage is to be held."""
        return call.fire.start_at - self._parts.clock() if call.is_root else timedelta()

    def _note_delay(self, work: Work, arrived: datetime) -> None:
        """Take note of how long a trigger took to get here; it says nothing of one that waits for others."""
        fire = work.call.fire
        is_first = work.call.is_root and activity.info().attempt == 1
        if is_first and fire.allocated is not None and work.records.trigger.reason not in WAITING:
            self._runtime.delays.note(fire.tenant, fire.allocated, arrived)

    async def _note_cancel(self, call: StageCall, log: Log) -> None:
        """Record the end of a cancelled stage."""
        end = StageEnd(
            trigger_id=call.fire.trigger_id, stage_id=call.record_id, state=StageState.FAILED, attempt=1,
            finished_at=self._parts.clock(), input=None, output=None, error=dict(CANCELLED), fired=(),
            log=log.text(), item=call.item, is_live=log.is_live,
        )  # fmt: skip
        await self._runtime.stage_ends.submit(end)

    async def _prepare(self, work: Work) -> Prepared | Opened | StageError:
        # A mistake found ahead of the due is the stage's result at the due, not before it.
        if work.lacks is not None:
            return work.lacks
        try:
            if work.is_opening and work.undone:
                return Opened(await self._runtime.done_items(work.records.trigger, work.undone), work.sight)
            return await prepare(self._parts, work)
        except StageError as error:
            return error

    async def _pinned(
        self, work: Work, prepared: Prepared | Opened | StageError
    ) -> tuple[Work, Prepared | Opened | StageError]:
        """The stage with the variables of the trigger's start, if what was prepared has seen others."""
        if not work.loaded.outside.vars or work.records.trigger.started_at is not None:
            return work, prepared
        started = await self._loader.load(work.call)
        if repr(started.outside) == repr(work.outside):  # 1, 1.0 and true are not the same
            return work, prepared
        return started, await self._prepare(started)

    async def _place(self, work: Work) -> Place | StageError | None:
        concurrency = work.loaded.action.concurrency
        if concurrency is None or not work.call.is_root or work.records.trigger.is_test:
            return None
        try:
            return await place_of(self._parts.evaluator, concurrency, work.sight)
        except StageError as error:
            return error

    async def _verdict(self, call: StageCall, place: Place | None) -> Verdict:
        fire = call.fire
        if not call.is_root:
            return CLAIMED
        wish = Claim(fire.trigger_id, fire.generation, call.run_id, call.stage_id, place)
        start: datetime | None = fire.start_at
        while start is not None:
            await self._runtime.holds.until(start)
            verdict = await self._runtime.claim(wish)
            start = verdict.planned  # of one that is early: a clock was stepped back, or the start was moved
        return verdict

    def _count(self, work: Work) -> None:
        """Count the claim of a trigger; of several root stages the first one speaks for it."""
        first = next(stage.id for stage in work.loaded.plan.stages if stage.is_root)
        if work.call.stage_id == first and work.records.trigger.state is TriggerState.SCHEDULED:
            self._parts.metrics.executing(work.call.fire.start_at, self._parts.clock())

    async def _attempt(
        self, work: Work, prepared: Prepared | StageError, log: Log
    ) -> Outcome | Again | StageResult:
        attempt = work.attempt
        sight, rendered = work.sight, None
        try:
            if isinstance(prepared, StageError):
                raise prepared
            sight, rendered = prepared.sight, prepared.rendered
            if prepared.with_ is None:
                return Outcome(Ended("skipped"), sight)
            if (stands := stand_in(work, self._parts.kinds[work.stage.uses])) is not None:
                return await self._stood_in(work, stands, sight, rendered, log)
            until, answer = self._deadline(work), None
            if (wish := self._wish(work, prepared)) is not None:
                found = await self._waits.look(wish)
                if isinstance(found, StageResult):
                    return found
                answer = found
            output = await execute(self._parts, work, prepared, until, log, answer)
            output = await self._shaped(work.stage, log.masker.value(output), sight, log.masker)
            return Outcome(Ended("completed", output, None, attempt), sight, rendered)
        except StageError as error:
            description = described(error, log.masker)
            delay = await self._delay(work, error, description)
            if delay is not None:
                return Again(delay, description, error.code, sight, rendered)
            return Outcome(Ended("failed", None, description, attempt), sight, rendered)

    async def _stood_in(
        self, work: Work, stands: StandIn, sight: Sight, rendered: JsonValue, log: Log
    ) -> Outcome:
        """The end of a stage of a test, which is not executed."""
        if stands.is_skipped:
            return Outcome(Ended("skipped"), sight)
        output = log.masker.value(stands.output)
        if not stands.is_shaped:
            output = await self._shaped(work.stage, output, sight, log.masker)
        return Outcome(Ended("completed", output, None, work.attempt), sight, rendered)

    def _wish(self, work: Work, prepared: Prepared) -> Wish | None:
        """What a stage waits for that waits; raises StageError."""
        request = self._parts.kinds[work.stage.uses].request
        if request is None:
            return None
        return Wish(
            work.records.trigger, work.stage, _key(work.call), work.attempt,
            request(prepared.with_, self._parts.clock()), prepared.sight, prepared.masker,
            self._deadline(work),
        )  # fmt: skip

    def _deadline(self, work: Work) -> datetime:
        now = self._parts.clock()
        deadline = (work.records.trigger.started_at or now) + work.loaded.action.timeout
        if work.stage.total_timeout is None:
            return deadline
        started = work.record.started_at if work.record is not None else None
        return min(deadline, (started or now) + work.stage.total_timeout)

    async def _shaped(self, stage: Stage, output: JsonValue, sight: Sight, masker: Masker) -> JsonValue:
        # What is shaped is masked before: an expression could make a secret into what nobody recognises.
        if stage.output is None:
            return output
        return masker.value(
            await self._parts.evaluator.render(stage.output, sight.at("output", output=output))
        )

    async def _delay(self, work: Work, error: StageError, description: JsonValue) -> timedelta | None:
        """The delay before the next attempt, if there is to be one."""
        retry, now = work.stage.retry, self._parts.clock()
        delay = retry_delay(retry, error, work.attempt, now, self._deadline(work), self._luck())
        if retry is None or delay is None or await self._is_excepted(work, retry, description):
            return None
        return delay

    async def _try_again(self, work: Work, again: Again, log: Log) -> StageResult:
        """Record the failed attempt and ask for the next one: Temporal, or a workflow that follows them."""
        attempt, now = work.attempt, self._parts.clock()
        fired: tuple[int, ...] = ()
        if work.call.attempt:
            failed = Ended("failed", None, again.error, attempt)
            fired = await judge_retry(self._parts.evaluator, again.sight, work.stage, failed)
        end = StageEnd(
            trigger_id=work.call.fire.trigger_id, stage_id=work.call.record_id, state=StageState.STARTED,
            attempt=attempt + 1, finished_at=None, input=short_input(again.input),
            output=None, error=again.error, fired=fired, log=log.text(), item=work.call.item, failed_at=now,
            is_live=log.is_live,
        )  # fmt: skip
        await self._runtime.stage_ends.submit(end)
        self._aftermath.begin(log.afterwards)
        if work.call.attempt:
            return StageResult(status="retrying", fired=fired, delay=again.delay)
        message = f"attempt {attempt} failed: {again.code}"
        raise ApplicationError(
            message, type="retry", next_retry_delay=again.delay, category=ApplicationErrorCategory.BENIGN
        )

    async def _is_excepted(self, work: Work, retry: Retry, error: JsonValue) -> bool:
        if retry.unless is None:
            return False
        view = work.sight.at("retry", error=error, attempt=work.attempt)
        try:
            return await self._parts.evaluator.holds(retry.unless, view)
        except StageError:
            return True  # a condition that cannot be judged must not cause a second side effect

    async def _end(self, work: Work, outcome: Outcome, log: Log) -> StageResult:
        outcome = await kept(self._runtime.blobs, work.records.trigger, outcome)
        judgement = Judgement(outcome.ended, ())
        if work.item is None:
            judgement = await judge(self._parts.evaluator, outcome.sight, work.stage, outcome.ended)
        ended, large = judgement.ended, outcome.large
        end = StageEnd(
            trigger_id=work.call.fire.trigger_id, stage_id=work.call.record_id,
            state=StageState(ended.status), attempt=ended.attempts, finished_at=self._parts.clock(),
            input=None if "input" in large else outcome.input, error=ended.error, fired=judgement.fired,
            output=None if "output" in large else ended.output, large=large,
            log=log.text(), item=work.call.item, is_live=log.is_live,
        )  # fmt: skip
        await self._runtime.stage_ends.submit(end)
        self._aftermath.begin(log.afterwards)
        return StageResult(status=ended.status, fired=judgement.fired)


def _key(call: StageCall) -> WaitKey:
    return WaitKey(*_unit(call).place)


def _unit(call: StageCall) -> Unit:
    return Unit(call.fire.trigger_id, call.record_id, OF_STAGE if call.item is None else call.item)


def _is_given_up() -> bool:
    """Whether a cancelled attempt is to end only because somebody else executes the stage, or will."""
    details = activity.cancellation_details()
    return details is None or not details.cancel_requested


def _executions(found: Sequence[claims.Execution]) -> tuple[Execution, ...]:
    return tuple(Execution(workflow_id=one.workflow_id, run_id=one.run_id) for one in found)
