"""One event of an iCalendar file: the dates that it covers on its own clocks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from icalendar import vDDDTypes, vText

from cronny.calendars.lines import Line
from cronny.calendars.recurring import Recurring
from cronny.calendars.rules import read_rule
from dsl.recurrence import LAST_YEAR
from dsl.zones import zone

EARLIEST = 1583  # the first whole year of the calendar; birthdays without a year are exported as of 1604
LONGEST = 1000  # days that one event may last
NAME_WIDTH = 200  # characters of a summary that are kept

Lines = Mapping[str, Sequence[Line]]
Span = tuple[date, int]  # a first day, and how many days


@dataclass(frozen=True)
class Covered:
    """What an event covers: single spans, or days that recur; or which day of another event it replaces."""

    line: Line
    uid: str
    name: str
    spans: tuple[Span, ...] = ()
    recurring: Recurring | None = None
    replaces: date | None = None


def read_event(lines: Lines, begin: Line, clocks: str) -> Covered:
    """What the event covers; instants in UTC are read on `clocks`. Raises LineError."""
    name = _text(lines, "SUMMARY")[:NAME_WIDTH]
    covered = Covered(begin, _text(lines, "UID"), name)
    if original := _first(lines, "RECURRENCE-ID"):
        covered = replace(covered, replaces=_moment(original, zone(clocks)).date())
    if _text(lines, "STATUS").upper() == "CANCELLED":
        return covered
    if (unknown := _first(lines, "EXRULE")) is not None:
        raise unknown.error("EXRULE", "not supported", "leave dates out with EXDATE", "not_supported")
    start = _first(lines, "DTSTART")
    if start is None:
        raise begin.error("DTSTART", "an event needs a DTSTART", code="required")
    first, length = _span(lines, start, zone(clocks))
    spans = [(first, length)]
    spans += [(day, length) for day in _days(lines, "RDATE", zone(clocks))]
    left_out = tuple(sorted(set(_days(lines, "EXDATE", zone(clocks)))))
    rule = _first(lines, "RRULE")
    if rule is not None:
        recurring = read_rule(rule, first)
        recurring = recurring.model_copy(update={"name": name, "lasts": length, "left_out": left_out})
        return replace(covered, recurring=recurring, spans=tuple(spans[1:]))
    return replace(covered, spans=tuple(span for span in spans if span[0] not in left_out))


def _span(lines: Lines, start: Line, clocks: ZoneInfo) -> Span:
    begin = _moment(start, clocks)
    end, stop = _first(lines, "DTEND"), begin
    if end is not None:
        stop = _moment(end, clocks)
    elif (duration := _first(lines, "DURATION")) is not None:
        end, stop = duration, _after(duration, begin)
    if end is not None and stop < begin:
        raise end.error(end.name, "the event ends before it begins")
    last = stop.date()
    if stop > begin and stop.time() == time.min:  # The end is no part of the event.
        last -= timedelta(days=1)
    length = (last - begin.date()).days + 1
    if end is not None and length > LONGEST:
        raise end.error(end.name, f"the event lasts more than {LONGEST} days", code="limit")
    return begin.date(), length


def _after(line: Line, begin: datetime) -> datetime:
    span = _read(line, line.value())
    if not isinstance(span, timedelta):
        raise line.error(line.name, "must be a duration", "such as P1D or PT2H30M")
    if span > timedelta(days=LONGEST):
        raise line.error(line.name, f"the event lasts more than {LONGEST} days", code="limit")
    return begin + max(span, -timedelta(days=1))


def _days(lines: Lines, name: str, clocks: ZoneInfo) -> Iterator[date]:
    for line in lines.get(name, ()):
        for value in line.value().split(","):
            yield _wall(line, value, clocks).date()


def _moment(line: Line, clocks: ZoneInfo) -> datetime:
    return _wall(line, line.value(), clocks)


def _wall(line: Line, value: str, clocks: ZoneInfo) -> datetime:
    """The wall time of a date (its first instant), of a date with a time, or of a period's beginning."""
    found = _read(line, value)
    if isinstance(found, tuple):
        found = found[0]
    if not isinstance(found, date):
        raise line.error(line.name, f"'{value[:40]}' is not a date", "write it such as 20261225")
    if not EARLIEST <= found.year <= LAST_YEAR:
        raise line.error(line.name, f"the year {found.year} is outside {EARLIEST} to {LAST_YEAR}")
    if not isinstance(found, datetime):
        return datetime.combine(found, time.min)
    return found.astimezone(clocks).replace(tzinfo=None) if found.tzinfo else found


def _read(line: Line, value: str) -> object:
    try:
        found: object = vDDDTypes.from_ical(value.strip())  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError):
        hint = "write a date such as 20261225 or 20261225T090000Z, a duration such as P1D"
        raise line.error(line.name, f"'{value[:40]}' cannot be read", hint) from None
    return found


def _text(lines: Lines, name: str) -> str:
    line = _first(lines, name)
    if line is None:
        return ""
    text = str(vText.from_ical(line.value()))
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _first(lines: Lines, name: str) -> Line | None:
    found = lines.get(name)
    return found[0] if found else None
