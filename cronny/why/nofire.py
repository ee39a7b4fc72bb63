"""Why a rule has no fire at an instant."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from cronny.scheduling import Compiled, compile_schedule
from cronny.scheduling.bounds import EARLIEST, TICK
from cronny.why.answer import Answer, Outcome
from cronny.why.asked import Asked
from cronny.why.facts import Facts, Version
from cronny.why.words import Clock
from dsl.describe import describe
from dsl.options import Calendars
from dsl.recurrence import exclusion_text, joined

# How far back the fire before is looked for: the first that has one suffices, so that few are walked through.
_BACK = tuple(timedelta(minutes=1) * factor for factor in (1, 60, 1500, 50_000, 600_000, 20_000_000))


def first_due(compiled: Compiled, asked: Asked) -> datetime | None:
    """The first fire within the asked instants."""
    for span in asked.spans:
        due = compiled.next(span.first - TICK)
        if due is not None and span.has(due):
            return due
    return None


def explain_no_fire(version: Version, facts: Facts, clock: Clock) -> Answer:
    """Why the rule in force has no fire within the asked instants."""
    near = _nearest(version.compiled, facts.asked)
    reason = next(_reasons(version, facts, clock), f"not a fire of this rule: {describe(version.schedule)}")
    return Answer(Outcome.NO_FIRE, f"{skipped_wall(facts)}{reason}; {_near_text(near, clock)}", nearest=near)


def skipped_wall(facts: Facts) -> str:
    """That the asked wall time does not exist, if so; the beginning of a sentence."""
    wall = facts.asked.gap
    if wall is None:
        return ""
    return f"clock change: {wall:%H:%M} does not exist on that day, clocks skip it: "


def _reasons(version: Version, facts: Facts, clock: Clock) -> Iterator[str]:
    """What keeps the rule from firing there, each found by leaving it out."""
    schedule = version.schedule
    for change in facts.changes:
        if change.moved_to is not None and any(span.has(change.moved_to) for span in facts.asked.spans):
            yield f"the fire of {clock.at(change.due)} was moved here {clock.by(change.made)}"
    if schedule.dst_gap == "skip" and _fires(version, facts, dst_gap="next"):
        yield f"{'' if facts.asked.gap else 'clock change: that wall time is skipped, '}dst_gap is skip"
    if schedule.dst_overlap != "both" and _fires(version, facts, dst_overlap="both"):
        yield f"clock change: clocks show that time twice, and dst_overlap is {schedule.dst_overlap}"
    yield from _excluded(version, facts)
    yield from _other_rules(version, facts, clock)
    if version.compiled.next(facts.asked.first - TICK) is None:
        yield f"after the end of this rule: {describe(schedule)}"
    first = version.compiled.next(EARLIEST - TICK)
    if first is not None and facts.asked.end <= first:
        yield f"before the first fire of this rule: {describe(schedule)}"


def _excluded(version: Version, facts: Facts) -> Iterator[str]:
    schedule, named = version.schedule, version.schedule.calendars
    for each in schedule.exclude:
        rest = tuple(other for other in schedule.exclude if other != each)
        if _fires(version, facts, exclude=rest):
            yield f"excluded: the rule leaves out {exclusion_text(each)}"
    if schedule.exclude and _fires(version, facts, exclude=()):
        yield f"excluded: the rule leaves out {joined([exclusion_text(each) for each in schedule.exclude])}"
    for name in named.excluded:
        kept = tuple(other for other in named.excluded if other != name)
        if _fires(version, facts, calendars=Calendars(named.only, kept, named.roll)):
            yield f"excluded by calendar {name}: the day is in it{_roll(named)}"
    if named != Calendars() and _fires(version, facts, calendars=Calendars()):
        only = f": the rule fires only on days of {joined(list(named.only))}" if named.only else ""
        yield f"excluded by calendar {joined([*named.only, *named.excluded])}{only}{_roll(named)}"


def _roll(named: Calendars) -> str:
    return "" if named.roll == "skip" else f", roll is {named.roll}"


def _other_rules(version: Version, facts: Facts, clock: Clock) -> Iterator[str]:
    """That another rule of the schedule fires there, which was not in force then."""
    for other in reversed(facts.past.versions):
        if other is version or first_due(other.compiled, facts.asked) is None:
            continue
        if version.until is not None and other.since.at >= version.until.at:
            yield (
                f"the rule at that time was another, {describe(version.schedule)} "
                f"(edited {clock.by(version.until)})"
            )
        elif other.until is not None:
            yield (
                f"the rule that fires then, {describe(other.schedule)}, had been replaced by "
                f"{describe(version.schedule)} (edited {clock.by(other.until)})"
            )


def _fires(version: Version, facts: Facts, **changes: Any) -> bool:
    """Whether the rule would fire there if it were a little different."""
    changed = version.schedule.model_copy(update=changes)
    return first_due(compile_schedule(changed, version.anchor, facts.calendars), facts.asked) is not None


def _nearest(compiled: Compiled, asked: Asked) -> tuple[datetime, ...]:
    after = compiled.next(asked.end - TICK)
    for reach in _BACK:
        last = asked.first - TICK
        before = compiled.latest(max(last - reach, EARLIEST - TICK), last, 1)
        if before:
            break
    return (*before, *((after,) if after is not None else ()))


def _near_text(near: tuple[datetime, ...], clock: Clock) -> str:
    match near:
        case (before, after):
            return f"the nearest are {clock.both(before, after)}"
        case (only,):
            return f"the nearest is {clock.at(only)}"
    return "it has no fire at all"
