"""What there is to say of a fire that the ledger does not have: mostly that it is still to come."""

from datetime import datetime

from cronny.scheduling.planned import planned
from cronny.store.tables import ChangeKind
from cronny.why.answer import Answer, Outcome
from cronny.why.facts import Facts, Version
from cronny.why.settled import moved_text
from cronny.why.words import Clock, span_text

_CATCHUP = {
    "all": "it runs as soon as one does",
    "last": "only the last of the fires that are late will run",
    "none": "it will be missed",
    "ask": "somebody will have to approve it",
}


def explain_unwritten(due: datetime, version: Version, facts: Facts, clock: Clock) -> Answer:
    """Why a fire of the rule in force is not in the ledger."""
    if due > facts.now:
        return _to_come(due, version, facts, clock)
    if (pause := facts.past.pause(due)) is not None:
        lasts = "" if pause.ended else ", and still is"
        return Answer(
            Outcome.SKIPPED, f"skipped: the schedule was paused {clock.by(pause.began)}{lasts}", due
        )
    if due < facts.now - facts.retention:
        days = facts.retention.days
        return Answer(Outcome.UNKNOWN, f"a fire of this rule, but the ledger is kept for {days} days", due)
    if version.until is not None:
        done = "deleted" if version.is_deleted else "changed"
        what = f"nothing had allocated it when the schedule was {done} {clock.by(version.until)}"
        return Answer(Outcome.SKIPPED, f"superseded: {what}", due)
    if facts.cursor < due:
        return Answer(Outcome.LATE, _late(due, version, facts, clock), due)
    return Answer(Outcome.UNKNOWN, "a fire of this rule, but the ledger has nothing of it", due)


def _to_come(due: datetime, version: Version, facts: Facts, clock: Clock) -> Answer:
    if (skip := facts.change(ChangeKind.SKIP, due)) is not None:
        return Answer(Outcome.WILL_NOT_FIRE, f"will not fire: left out {clock.by(skip.made)}", due)
    pause = facts.past.pause(facts.now)
    if pause is None or (pause.until is not None and pause.until <= due):
        start = planned(version.schedule, facts.schedule_id, due, version.compiled.next(due))
        move = facts.change(ChangeKind.MOVE, due)
        start = move.moved_to if move is not None and move.moved_to is not None else start
        why = moved_text(due, facts, clock) or " by its jitter and spread"
        moved = f", at {clock.at(start)}{why}" if start != due else ""
        return Answer(Outcome.WILL_FIRE, f"will fire in {span_text(start - facts.now)}{moved}", due)
    end = clock.at(pause.until) if pause.until else "it is resumed"
    sentence = f"paused {clock.by(pause.began)}: will not fire before {end}"
    return Answer(Outcome.WILL_NOT_FIRE, sentence, due)


def _late(due: datetime, version: Version, facts: Facts, clock: Clock) -> str:
    mode = version.schedule.catchup.mode
    return (
        f"was due {span_text(facts.now - due)} ago and is not allocated yet: no worker has looked at the "
        f"schedule since {clock.at(facts.cursor.replace(microsecond=0))}; "
        f"catch-up is {mode}: {_CATCHUP[mode]}"
    )
