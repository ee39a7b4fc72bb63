"""Compiled rules, kept while neither their schedule nor its calendars change."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import JsonValue

from cronny.calendars import CalendarDates, dates_of, load_content
from cronny.errors import Invalid
from cronny.scheduling import Compiled, UnknownCalendar, compile_schedule
from cronny.store.calendars import Calendars, Mark
from cronny.store.tables import ScheduleRow
from dsl.problems import Problem
from dsl.schedule import Schedule, read_schedule

Key = TypeVar("Key")
Value = TypeVar("Value")

KEPT = 20_000  # rules, about 2 KB each
KEPT_CALENDARS = 200  # about 1 MB each at the most


@dataclass(frozen=True)
class Rule:
    """A schedule's rule as it was read and as it can be asked."""

    schedule: Schedule
    compiled: Compiled


class RuleCache:
    """The rules, and the calendars, that this process used lately."""

    def __init__(self) -> None:
        self._schedules: OrderedDict[tuple[str, int], Schedule] = OrderedDict()
        self._rules: OrderedDict[tuple[str, int, tuple[Mark, ...]], Rule] = OrderedDict()
        self._dates: OrderedDict[Mark, CalendarDates] = OrderedDict()

    def read(self, row: ScheduleRow) -> Schedule:
        """The rule of a row as it was given; raises Invalid if it cannot be read any more."""
        return _kept(self._schedules, (row.id, row.generation), lambda: _read(row), KEPT)

    async def get(self, row: ScheduleRow, calendars: Calendars) -> Rule:
        """The rule of a row with its tenant's calendars; raises Invalid if it cannot be read any more."""
        schedule = self.read(row)
        names = schedule.calendar_names
        key = (row.id, row.generation, await calendars.marks(names))
        if key in self._rules:
            return _kept(self._rules, key, lambda: self._rules[key], KEPT)
        held = await calendars.contents(names)
        rule = Rule(schedule, _compiled(schedule, row.anchor, self.dates(held)))
        return _kept(self._rules, (row.id, row.generation, tuple(sorted(held))), lambda: rule, KEPT)

    def dates(self, held: Mapping[Mark, JsonValue]) -> Mapping[str, CalendarDates]:
        """The dates of calendars by name."""
        return {mark.name: self._of(mark, model) for mark, model in held.items()}

    def _of(self, mark: Mark, model: JsonValue) -> CalendarDates:
        return _kept(self._dates, mark, lambda: dates_of(load_content(model)), KEPT_CALENDARS)


def _read(row: ScheduleRow) -> Schedule:
    schedule, problems = read_schedule(row.source)
    if schedule is None:
        raise Invalid(problems)
    return schedule


def _compiled(schedule: Schedule, anchor: datetime, dates: Mapping[str, CalendarDates]) -> Compiled:
    try:
        return compile_schedule(schedule, anchor, dates)
    except UnknownCalendar as error:
        raise Invalid([Problem("calendars", str(error), code="unknown_calendar")]) from None


def _kept(cache: OrderedDict[Key, Value], key: Key, make: Callable[[], Value], most: int) -> Value:
    """What the cache has under a key, or else what is made; the one not used for longest gives way."""
    if key not in cache:
        cache[key] = make()
    cache.move_to_end(key)
    if len(cache) > most:
        cache.popitem(last=False)
    return cache[key]
