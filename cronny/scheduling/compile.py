"""From a schedule as it was written to one that can be asked for its fires."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from cronny.scheduling.bounds import EARLIEST, LATEST, TICK, bounds, start_instant, whole_second
from cronny.scheduling.calendar import Calendar
from cronny.scheduling.compiled import Compiled
from cronny.scheduling.counted import Counted
from cronny.scheduling.cron import Cron
from cronny.scheduling.datesets import DateSet
from cronny.scheduling.days import Dates, Days
from cronny.scheduling.filtered import Filtered
from cronny.scheduling.instants import Instants
from cronny.scheduling.interval import Interval
from cronny.scheduling.kept import Keeping, Kept
from cronny.scheduling.union import Union
from cronny.scheduling.walltime import Clocks
from dsl.draft import unit_of
from dsl.recurrence import Between, Moment, Period
from dsl.schedule import Rule, Schedule
from dsl.zones import zone

_NONE: Mapping[str, DateSet] = MappingProxyType({})


class UnknownCalendar(LookupError):
    """A schedule names a calendar that there is not."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no calendar '{name}'")


def compile_schedule(
    schedule: Schedule, anchor: datetime, calendars: Mapping[str, DateSet] = _NONE
) -> Compiled:
    """The rule of a schedule first saved at `anchor`; delays, intervals, steps and `count` count from there.

    Raises UnknownCalendar where `calendars` lacks one that the schedule names.
    """
    place = zone(schedule.timezone)
    anchor = min(max(anchor, EARLIEST), LATEST)  # so that nothing counted from it leaves the calendar
    compiler = _Compiler(schedule, anchor, place, _keeping(schedule, calendars))
    rules = tuple(compiler.rule(rule) for rule in schedule.all_rules)
    compiled = rules[0] if len(rules) == 1 else Union(rules, compiler.clocks)
    if schedule.count is None:
        return compiled
    first = anchor if schedule.start is None else max(anchor, start_instant(schedule.start, place) - TICK)
    return Counted(compiled, first, schedule.count)


def _keeping(schedule: Schedule, calendars: Mapping[str, DateSet]) -> Keeping:
    for name in schedule.calendar_names:
        if name not in calendars:
            raise UnknownCalendar(name)
    chosen = schedule.calendars
    only, excluded = ([calendars[name] for name in names] for names in (chosen.only, chosen.excluded))
    return Keeping(schedule.exclude, only, excluded, chosen.roll)


@dataclass(frozen=True)
class _Compiler:
    schedule: Schedule
    anchor: datetime
    place: ZoneInfo
    keeping: Keeping

    @property
    def clocks(self) -> Clocks:
        return Clocks(self.place, self.schedule.dst_gap, self.schedule.dst_overlap)

    def rule(self, rule: Rule) -> Compiled:
        """One of the schedule's rules with all that the schedule says beside it."""
        match rule.every, rule.at:
            case timedelta() as every, None if rule.between is None:
                return self._filtered(self._interval(every))
            case None, timedelta() as delay:
                return self._filtered(Instants.of([self.saved + delay], self.clocks))
            case None, tuple() as dates:
                return self._dates([each for each in dates if isinstance(each, datetime)])
            case None, datetime() as moment:
                return self._dates([moment])
        return self._recurring(rule)

    def _recurring(self, rule: Rule) -> Compiled:
        match rule.every, rule.at:
            case timedelta() as every, None if rule.between is not None:
                period = Period(1, unit_of(rule.on[0]) if rule.on else "day")
                seconds = _seconds(every, rule.between)
                return self._calendar(self._days(period, rule), seconds, is_by_the_clock=True)
            case Period() as period, tuple() as times:
                return self._calendar(self._days(period, rule), _seconds_of(times))
            case None, None if rule.cron is not None:
                cron = Cron(rule.cron)
                return self._calendar(cron, cron.seconds, is_by_the_clock=cron.is_by_the_clock)
        raise ValueError("a rule has a period, dates, a delay or cron text")

    def _calendar(self, days: Dates, seconds: Sequence[int], *, is_by_the_clock: bool = False) -> Calendar:
        # What fires many times a day would stand still, or hurry, for an hour: it follows what clocks show.
        clocks = Clocks(self.place, "skip", "both") if is_by_the_clock else self.clocks
        kept = Kept(days, self.keeping) if self.keeping else days
        return Calendar(kept, seconds, clocks, bounds(self.schedule.start, self.schedule.end, self.place))

    def _days(self, period: Period, rule: Rule) -> Days:
        origin = _origin(self.schedule.start or self.anchor, self.place)
        return Days(period, rule.on, origin, self.keeping.is_business)

    def _interval(self, period: timedelta) -> Interval:
        """An interval begins at its start, or one period after it was saved."""
        start = self.schedule.start
        first = self.saved + period if start is None else start_instant(start, self.place)
        return Interval(first, period, bounds(None, self.schedule.end, self.place).last, self.place)

    @property
    def saved(self) -> datetime:
        return whole_second(self.anchor)

    def _dates(self, moments: Sequence[datetime]) -> Compiled:
        limits = bounds(self.schedule.start, self.schedule.end, self.place)
        dues = Instants.of(moments, self.clocks)
        within = {due: change for due, change in dues.dues.items() if limits.first <= due <= limits.last}
        return self._filtered(Instants(within, self.clocks))

    def _filtered(self, compiled: Compiled) -> Compiled:
        return Filtered(compiled, self.keeping, Clocks(self.place)) if self.keeping else compiled


def _seconds(step: timedelta, between: Between) -> range:
    return range(_second(between.first), _second(between.last) + 1, step // timedelta(seconds=1))


def _seconds_of(times: Sequence[time] | Sequence[datetime]) -> Sequence[int]:
    return tuple(sorted({_second(each) for each in times if isinstance(each, time)}))


def _second(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


def _origin(moment: Moment, place: ZoneInfo) -> date:
    """The date from which the periods of a calendar rule are counted."""
    if not isinstance(moment, datetime):
        return moment
    return (moment.astimezone(place) if moment.tzinfo else moment).date()
