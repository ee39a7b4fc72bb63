"""From what is known to a sentence."""

from dataclasses import replace

from cronny.scheduling.bounds import TICK
from cronny.why.answer import Answer, Outcome
from cronny.why.facts import Facts, Version
from cronny.why.nofire import explain_no_fire, first_due, skipped_wall
from cronny.why.settled import backfill_text, explain_row
from cronny.why.unwritten import explain_unwritten
from cronny.why.words import Clock
from dsl.zones import zone


def explain(facts: Facts) -> Answer:
    """Why the asked fire happened, did not, or will."""
    clock = Clock(zone(facts.past.versions[-1].schedule.timezone))
    if sum(tally.count for tally in facts.tallies) > 1 and (facts.row is None or facts.row.count == 1):
        return _several(facts, clock)
    if facts.row is not None:
        return _whole(explain_row(facts.row, facts, clock), facts)
    version = facts.past.version(facts.asked.first) or facts.past.version(facts.asked.end - TICK)
    if version is None:
        return Answer(Outcome.NO_FIRE, _without_rule(facts, clock))
    due = first_due(version.compiled, facts.asked)
    if due is None or not version.holds(due):
        return explain_no_fire(version, facts, clock)
    if due > facts.now and (count := _count(version, facts)) > 1:
        return _many_to_come(count, explain_unwritten(due, version, facts, clock))
    return _whole(explain_unwritten(due, version, facts, clock), facts)


def _without_rule(facts: Facts, clock: Clock) -> str:
    """That the schedule did not exist then."""
    before = [one for one in facts.past.versions if one.since.at <= facts.asked.first]
    if not before:
        return f"before the schedule existed: it was created {clock.by(facts.past.versions[0].since)}"
    until = before[-1].until
    return f"the schedule did not exist then: it was deleted {clock.by(until)}" if until else "no rule"


def _several(facts: Facts, clock: Clock) -> Answer:
    parts = [f"{tally.count} {tally.state} (the last at {clock.at(tally.last)})" for tally in facts.tallies]
    version = facts.past.version(facts.asked.end - TICK)
    to_come = _count(version, facts) if version is not None else 0
    more = [f"{to_come} to come"] if to_come else []
    count = sum(tally.count for tally in facts.tallies) + to_come
    return Answer(
        Outcome.SEVERAL, f"{count} fires: {', '.join([*parts, *more])}; ask for one of them", count=count
    )


def _many_to_come(count: int, first: Answer) -> Answer:
    return replace(first, sentence=f"{count} fires, of which the first {first.sentence}", count=count)


def _count(version: Version, facts: Facts) -> int:
    """How many fires of the asked instants are still to be allocated."""
    spans = facts.asked.spans
    after = max(facts.now, facts.cursor)
    return sum(version.compiled.count(max(span.first - TICK, after), span.end - TICK) for span in spans)


def _whole(answer: Answer, facts: Facts) -> Answer:
    """The answer with what stands around it: a clock change before, a backfill behind."""
    sentence = f"{skipped_wall(facts)}{answer.sentence}"
    if facts.backfill is not None:
        sentence = f"{sentence}; a backfill {backfill_text(facts.backfill)}"
    return replace(answer, sentence=sentence)
