"""A schedule's rules and pauses, as the events of its life tell them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import JsonValue

from cronny.errors import Invalid
from cronny.scheduling import DateSet, compile_schedule
from cronny.store.tables import EventKind, EventRow, ScheduleRow
from cronny.why.facts import Mark, Past, Pause, Version
from dsl.schedule import read_schedule

_SAVED = (EventKind.SCHEDULE_CREATED, EventKind.SCHEDULE_CHANGED)


@dataclass(frozen=True)
class _Life:
    """What is known up to some event."""

    versions: tuple[Version, ...] = ()
    pauses: tuple[Pause, ...] = ()


def read_life(row: ScheduleRow, events: Sequence[EventRow], calendars: Mapping[str, DateSet]) -> Past:
    """The rules and pauses of a schedule; raises Invalid if none of its rules can be read any more.

    Calendars are those of the present: of an earlier one nothing is kept.
    """
    life = _Life()
    for event in events:
        life = _after(life, event, calendars)
    if not life.versions:  # Its events were not kept, or never written.
        begun = Mark(row.created_at)
        life = replace(life, versions=(_version(row.source, row.anchor, begun, calendars),))
        if row.is_paused:
            life = replace(life, pauses=(Pause(Mark(row.updated_at, note=row.note), until=row.paused_until),))
    return Past(life.versions, life.pauses)


def named_calendars(row: ScheduleRow, events: Sequence[EventRow]) -> set[str]:
    """The calendars that any of the rules of a schedule's life names."""
    told = [event.details for event in events if event.kind in _SAVED]
    sources = [row.source, *(details.get("schedule") for details in told if isinstance(details, dict))]
    schedules = [read_schedule(source)[0] for source in sources]
    return {name for schedule in schedules if schedule is not None for name in schedule.calendar_names}


def mark_of(event: EventRow) -> Mark:
    """Who did what an event tells, and when."""
    return Mark(event.at, event.actor, event.note)


def _after(life: _Life, event: EventRow, calendars: Mapping[str, DateSet]) -> _Life:
    details = event.details if isinstance(event.details, dict) else {}
    mark = mark_of(event)
    match event.kind:
        case EventKind.SCHEDULE_PAUSED:
            until = details.get("until")
            end = datetime.fromisoformat(until) if isinstance(until, str) else None
            return replace(life, pauses=_paused(life.pauses, mark, end))
        case EventKind.SCHEDULE_RESUMED:
            return replace(life, pauses=_resumed(life.pauses, mark))
        case EventKind.SCHEDULE_DELETED:
            return _Life(_ended(life.versions, mark, is_deleted=True), _resumed(life.pauses, mark))
        case kind if kind in _SAVED:
            return _saved(life, mark, details, calendars)
    return life


def _saved(
    life: _Life, mark: Mark, details: Mapping[str, JsonValue], calendars: Mapping[str, DateSet]
) -> _Life:
    try:
        anchor = datetime.fromisoformat(str(details["anchor"]))
        version = _version(details["schedule"], anchor, mark, calendars)
    except (Invalid, KeyError, ValueError):  # Written by a version that knew more.
        return life
    versions = (*_ended(life.versions, mark), version)
    if details.get("paused") is not True:
        return _Life(versions, _resumed(life.pauses, mark))
    return _Life(versions, _paused(life.pauses, mark, None))


def _version(source: JsonValue, anchor: datetime, since: Mark, calendars: Mapping[str, DateSet]) -> Version:
    schedule, problems = read_schedule(source)
    if schedule is None:
        raise Invalid(problems)
    return Version(schedule, compile_schedule(schedule, anchor, calendars), anchor, since)


def _ended(versions: tuple[Version, ...], mark: Mark, is_deleted: bool = False) -> tuple[Version, ...]:
    if not versions or versions[-1].until is not None:
        return versions
    return (*versions[:-1], replace(versions[-1], until=mark, is_deleted=is_deleted))


def _paused(pauses: tuple[Pause, ...], mark: Mark, until: datetime | None) -> tuple[Pause, ...]:
    if not pauses or pauses[-1].ended is not None:
        return (*pauses, Pause(mark, until=until))
    if until is None and not mark.note:  # Another version of the rule, still paused.
        return pauses
    began = replace(pauses[-1].began, by=mark.by, note=mark.note)
    return (*pauses[:-1], Pause(began, until=until))


def _resumed(pauses: tuple[Pause, ...], mark: Mark) -> tuple[Pause, ...]:
    if not pauses or pauses[-1].ended is not None:
        return pauses
    return (*pauses[:-1], replace(pauses[-1], ended=mark))
