"""What a row of the ledger says."""

from datetime import datetime, timedelta

from cronny.scheduling.allocation import GRACE
from cronny.store.tables import ChangeKind, TriggerRow, TriggerState
from cronny.why.answer import Answer, Outcome
from cronny.why.facts import Facts, Mark
from cronny.why.words import Clock, span_text

WAITED = timedelta(seconds=1)  # late by so much, a trigger of a limited action has waited for a place

_CATCHUP = {
    "none": "catch-up is none",
    "last": "catch-up runs the last one only",
    "all": "catch-up has a limit",
    "ask": "catch-up is ask, and nobody has approved it",
}


def explain_row(row: TriggerRow, facts: Facts, clock: Clock) -> Answer:
    """What became of a fire, or is about to."""
    sentence = _sentence(row, facts, clock)
    if row.count > 1 and row.until is not None:
        ends = clock.both(row.due, row.until)
        sentence = f"one of the {row.count} fires between {ends} that were {sentence}"
    return Answer(_outcome(row, facts), sentence, row.due, count=row.count)


def _outcome(row: TriggerRow, facts: Facts) -> Outcome:
    if row.state is TriggerState.SCHEDULED:
        return Outcome.WILL_FIRE if facts.now < row.planned else Outcome.LATE
    return Outcome(row.state.value)


def _sentence(row: TriggerRow, facts: Facts, clock: Clock) -> str:
    match row.state:
        case TriggerState.SCHEDULED:
            return _scheduled(row, facts, clock)
        case TriggerState.SKIPPED:
            return f"skipped: {_skipped(row, facts, clock)}"
        case TriggerState.MISSED:
            return f"missed: {_missed(row, facts, clock)}"
    return f"{_fired(row, facts, clock)}{_became(row, facts, clock)}"


def _fired(row: TriggerRow, facts: Facts, clock: Clock) -> str:
    if row.started_at is None:
        return "never started"
    late = row.started_at - row.planned
    text = "fired on time" if late < timedelta(milliseconds=1) else f"fired {span_text(late)} late"
    if facts.requested is not None or row.reason == "manual":
        return f"triggered by hand{_by(facts.requested, clock)}, {text}"
    if not row.is_postponed and row.allocated_at - row.due > GRACE:
        return f"{text}, caught up: it was allocated only at {clock.at(row.allocated_at)}"
    if row.planned != row.due:
        text = f"{text} of its planned {clock.at(row.planned)}{moved_text(row.due, facts, clock)}"
    return f"{text}{_held_up(row, late)}"


def _held_up(row: TriggerRow, late: timedelta) -> str:
    """What made a trigger late, as far as its row says so."""
    if row.is_postponed:
        span = row.allocated_at - row.due
        when = f"{span_text(span)} after its due" if span > timedelta() else f"only {span_text(-span)} ahead"
        return f", allocated {when} as its tenant had more due at once than its rate allows"
    if row.concurrency_limit is not None and late >= WAITED:
        return f", its action executes {_at_once(row)}"
    return ""


def _at_once(row: TriggerRow) -> str:
    key = f" for the key '{row.concurrency_key}'" if row.concurrency_key else ""
    return f"{row.concurrency_limit} at once at the most{key}"


def _became(row: TriggerRow, facts: Facts, clock: Clock) -> str:
    took = span_text((row.finished_at or facts.now) - (row.started_at or row.due))
    match row.state:
        case TriggerState.COMPLETED if row.reason == "started":
            return ", completed as it started: complete_on is start"
        case TriggerState.COMPLETED:
            return f", completed in {took}"
        case TriggerState.EXECUTING:
            stage = f" stage {facts.stage}" if facts.stage else ""
            return f", executing{stage} for {took}"
        case TriggerState.CANCELLED:
            return f", cancelled{_cancelled(row, facts, clock)} after {took}"
    return f", failed{_failure(row, facts, clock)} after {took}"


def _cancelled(row: TriggerRow, facts: Facts, clock: Clock) -> str:
    if row.reason in ("overlap_cancelled", "overlap_killed"):
        return f": a later one took its place, overlap is {row.overlap};"
    if row.reason == "concurrency_cancelled":
        return f": a later one took its place, its action executes {_at_once(row)};"
    return _by(facts.settled, clock)


def _failure(row: TriggerRow, facts: Facts, clock: Clock) -> str:
    if row.reason == "workflow_lost":
        return f" as workflow_lost: its workflow was gone, settled{_by(facts.settled, clock)}"
    error = row.error if isinstance(row.error, dict) else {}
    code, message, stage = (str(error.get(part) or "") for part in ("code", "message", "stage"))
    what = ": ".join(part for part in (code, message) if part)
    place = f" at stage {stage}" if stage else f" ({row.reason})" if row.reason else ""
    return f"{place}{f': {what}' if what else ''}"


def _scheduled(row: TriggerRow, facts: Facts, clock: Clock) -> str:
    if row.reason == "queued":
        behind = f" behind the one of {clock.at(facts.before)}" if facts.before else ""
        return f"queued{behind}, for {span_text(facts.now - row.planned)}: overlap is {row.overlap}"
    if row.reason == "concurrency":
        return f"queued for {span_text(facts.now - row.planned)}: its action executes {_at_once(row)}"
    if row.reason == "tenant_limit":
        waits = span_text(facts.now - row.planned)
        return f"queued for {waits}: its tenant executes as many triggers as it may, see the limits"
    if facts.now < row.planned:
        why = moved_text(row.due, facts, clock) or " by its jitter and spread"
        moved = f", at {clock.at(row.planned)}{why}" if row.planned != row.due else ""
        return f"will fire in {span_text(row.planned - facts.now)}{moved}; it is in the ledger already"
    return (
        f"was due {span_text(facts.now - row.planned)} ago and nothing has claimed it yet: "
        "no worker of the tenant's pool has a free slot for it, or none is running"
    )


def _skipped(row: TriggerRow, facts: Facts, clock: Clock) -> str:
    match row.reason:
        case "paused":
            pause = facts.past.pause(row.due) or facts.past.pause(row.finished_at or row.due)
            return f"the schedule was paused{_by(pause.began if pause else None, clock)}"
        case "superseded":
            return f"superseded: the schedule was changed{_by(facts.settled, clock)}"
        case "deleted":
            return f"the schedule was deleted{_by(facts.settled, clock)}"
        case "operator":
            change = facts.change(ChangeKind.SKIP, row.due)
            return f"this fire was left out{_by(change.made if change else facts.settled, clock)}"
        case "overlap" | "concurrency_limit":
            return _in_the_way(row, facts, clock)
    return f"{row.reason or 'no reason is known'}{_by(facts.settled, clock)}"


def _in_the_way(row: TriggerRow, facts: Facts, clock: Clock) -> str:
    if row.reason == "concurrency_limit":
        return f"its action executes {_at_once(row)}, and there was no place"
    before = f"the one of {clock.at(facts.before)}" if facts.before else "the one before it"
    return f"{before} was still executing, and overlap is {row.overlap}"


def _missed(row: TriggerRow, facts: Facts, clock: Clock) -> str:
    if row.reason == "deadline":
        late = f" by {clock.at(row.start_by)}" if row.start_by else ""
        return f"nothing could start it{late}, its deadline"
    version = facts.past.version(row.due)
    mode = "ask" if row.reason == "awaiting_approval" else version.schedule.catchup.mode if version else ""
    between = clock.both(row.due, row.allocated_at.replace(microsecond=0))
    return f"nothing could execute it between {between}; {_CATCHUP.get(mode, row.reason)}"


def moved_text(due: datetime, facts: Facts, clock: Clock) -> str:
    """That somebody moved a fire, if so; goes on behind the instant."""
    change = facts.change(ChangeKind.MOVE, due)
    return f", moved {clock.by(change.made)}" if change is not None else ""


def backfill_text(row: TriggerRow) -> str:
    """What a backfill does about a fire; goes on behind `a backfill`."""
    match row.state:
        case TriggerState.SCHEDULED:
            return "will make up for it"
        case TriggerState.EXECUTING:
            return "is making up for it"
        case TriggerState.COMPLETED:
            return "made up for it"
    return f"was to make up for it: {row.state}"


def _by(mark: Mark | None, clock: Clock) -> str:
    return f" {clock.by(mark)}" if mark is not None else ""
