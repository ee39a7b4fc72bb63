"""Compiled rules, kept while neither their schedule nor its calendars change."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from cronny.calendars import CalendarDates, dates_of, load_content
from cronny.errors import Invalid
from cronny.scheduling.compiled import Compiled, compile_schedule
from cronny.store.calendars import Calendars, Mark
from cronny.store.tables import ScheduleRow
from dsl.problems import Problem
from dsl.schedule import Schedule, read_schedule

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
        self._rules: OrderedDict[tuple[str, int, tuple[Mark, ...]], Rule] = OrderedDict()
        self._calendars: OrderedDict[Mark, CalendarDates] = OrderedDict()

    async def get(self, row: ScheduleRow, calendars: Calendars) -> Rule:
        """The rule of a schedule's row with its tenant's calendars; raises Invalid if it cannot be read."""
        key = (row.id, row.generation, await calendars.marks(row))
        if key not in self._rules:
            held = await calendars.of(row)
            key = (row.id, row.generation, tuple(sorted(held)))
            self._rules[key] = self._compile(row, held)
        self._rules.move_to_end(key)
        if len(self._rules) > KEPT:
            self._rules.popitem(last=False)
        return self._rules[key]

    def compile(self, schedule: Schedule, anchor: datetime, held: Mapping[Mark, JsonValue]) -> Compiled:
        """A rule that no row has yet, or one that is looked at as of another anchor."""
        return compile_schedule(schedule, anchor, {mark.name: self._dates(mark, held[mark]) for mark in held})

    def _compile(self, row: ScheduleRow, held: Mapping[Mark, JsonValue]) -> Rule:
        schedule = read_rule(row)
        missing = set(names_of(schedule)) - {mark.name for mark in held}
        if missing:
            raise Invalid([Problem("calendars", f"there is no calendar '{min(missing)}'", code="not_found")])
        return Rule(schedule, self.compile(schedule, row.anchor, held))

    def _dates(self, mark: Mark, model: JsonValue) -> CalendarDates:
        if mark not in self._calendars:
            self._calendars[mark] = dates_of(load_content(model))
        self._calendars.move_to_end(mark)
        if len(self._calendars) > KEPT_CALENDARS:
            self._calendars.popitem(last=False)
        return self._calendars[mark]


def read_rule(row: ScheduleRow) -> Schedule:
    """The rule of a row as it was given; raises Invalid if it cannot be read any more."""
    schedule, problems = read_schedule(row.source)
    if schedule is None:
        raise Invalid(problems)
    return schedule
