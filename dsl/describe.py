"""A schedule's rule in plain language; reading it gives an equal rule."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta

from dsl.recurrence import (
    WORKDAYS,
    Day,
    Every,
    Period,
    Weekday,
    clock_parts,
    days_text,
    exclusion_text,
    joined,
    moment_text,
    time_text,
)
from dsl.schedule import Rule, Schedule

_ROLLS = {
    "next": "moved to the next business day",
    "previous": "moved to the previous business day",
    "modified_following": "moved to the next business day in the month",
}


def describe(schedule: Schedule) -> str:
    """The rule of a schedule as a phrase, such as `every week on monday at 09:00 Europe/London`."""
    rules = [_when(rule) for rule in schedule.all_rules]
    shared = " ".join(_shared(schedule))
    if len(rules) == 1:
        return f"{rules[0]} {shared}".strip()
    return "; ".join([*rules, shared] if shared else rules)


def _shared(schedule: Schedule) -> Iterator[str]:
    """What holds for all rules."""
    if schedule.start is not None:
        yield f"starting {moment_text(schedule.start)}"
    if schedule.end is not None:
        yield f"until {moment_text(schedule.end)}"
    if schedule.count is not None:
        yield f"{schedule.count} time{'s' if schedule.count > 1 else ''}"
    calendars = schedule.calendars
    texts = [exclusion_text(each) for each in schedule.exclude]
    texts += [f"calendar {name}" for name in calendars.excluded]
    if texts:
        yield f"except {joined(texts)}"
    if calendars.only:
        yield f"only on {joined([f'calendar {name}' for name in calendars.only])}"
    if calendars.roll != "skip":
        yield _ROLLS[calendars.roll]
    if schedule.timezone != "UTC":
        yield schedule.timezone


def _when(rule: Rule) -> str:
    if rule.cron is not None:
        return rule.cron
    match rule.at:
        case datetime():
            return _date(rule.at)
        case timedelta():
            return f"in {_clock(rule.at)}"
        case tuple():
            times = [each for each in rule.at if isinstance(each, time)]
            dates = [_date(each) for each in rule.at if isinstance(each, datetime)]
            return joined(dates) if dates else f"{_every(rule.every, rule.on)} {_times(times)}"
    return f"{_every(rule.every, rule.on)}{f' between {rule.between}' if rule.between else ''}"


def _date(moment: datetime) -> str:
    text = moment_text(moment)
    return text if moment.tzinfo else text.replace("T", " ")


def _every(every: Every | None, days: tuple[Day, ...]) -> str:
    is_weekdays = days == tuple(Weekday(number) for number in WORKDAYS)
    on = f" on {'weekdays' if is_weekdays else days_text(days)}" if days else ""
    if isinstance(every, timedelta):
        return f"every {_interval(every)}{on}"
    if every == Period(1, "week") and is_weekdays:
        return "every weekday"
    return f"every {every}{on}"


def _times(times: Sequence[time]) -> str:
    return f"at {joined([time_text(each) for each in times])}"


def _interval(interval: timedelta) -> str:
    text = _clock(interval)
    return text.removeprefix("1 ") if text.count(" ") == 1 else text


def _clock(interval: timedelta) -> str:
    return " ".join(f"{number} {unit}{'s' if number > 1 else ''}" for number, unit in clock_parts(interval))
