"""Compiled rules, kept while their schedule does not change."""

from collections import OrderedDict
from dataclasses import dataclass

from cronny.errors import Invalid
from cronny.scheduling import Compiled, compile_schedule
from cronny.store.tables import ScheduleRow
from dsl.schedule import Schedule, read_schedule

KEPT = 20_000  # rules, about 2 KB each


@dataclass(frozen=True)
class Rule:
    """A schedule's rule as it was read and as it can be asked."""

    schedule: Schedule
    compiled: Compiled


class RuleCache:
    """The rules that this process used lately."""

    def __init__(self) -> None:
        self._rules: OrderedDict[tuple[str, int], Rule] = OrderedDict()

    def get(self, row: ScheduleRow) -> Rule:
        """The rule of a schedule's row; raises Invalid if it cannot be read any more."""
        key = (row.id, row.generation)
        if key not in self._rules:
            self._rules[key] = _compile(row)
        self._rules.move_to_end(key)
        if len(self._rules) > KEPT:
            self._rules.popitem(last=False)
        return self._rules[key]


def _compile(row: ScheduleRow) -> Rule:
    schedule, problems = read_schedule(row.source)
    if schedule is None:
        raise Invalid(problems)
    return Rule(schedule, compile_schedule(schedule, row.anchor))
