"""An iCalendar file (RFC 5545): its lines and components; problems stand at their line.

Lines and values are read with the `icalendar` library. Its reader of whole files is passed by: it knows no
lines, and works out the rules of time zones, which a hostile file can make endless.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cronny.calendars.content import IcalContent
from cronny.calendars.events import Covered, read_event
from cronny.calendars.lines import Line, LineError
from cronny.calendars.merging import merge
from dsl.problems import Problem
from dsl.zones import find_zone

MAX_EVENTS = 5_000
MAX_COUNTED = 50  # events that end by a COUNT, which costs up to 40 ms to work out
MAX_FOUND = 100  # problems; after that many nobody reads on

_OF_EVENTS = {
    "UID", "SUMMARY", "STATUS", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE",
    "RECURRENCE-ID",
}  # fmt: skip


@dataclass
class Event:
    """The lines of one event that matter here, by name."""

    begin: Line
    lines: dict[str, list[Line]] = field(default_factory=dict)

    @property
    def is_counted(self) -> bool:
        """Whether it ends after a number of times."""
        return any("COUNT" in line.text.upper() for line in self.lines.get("RRULE", ()))


def begins_ical(raw: bytes) -> bool:
    """Whether a text is an iCalendar file rather than YAML."""
    return raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:15].upper() == b"BEGIN:VCALENDAR"


def read_ical(raw: bytes) -> tuple[IcalContent | None, Sequence[Problem]]:
    """The dates that the events of a file cover, or everything that is wrong with it."""
    if b"\0" in raw:
        return None, [
            Problem("document", "has a NUL character", "", "syntax", raw.split(b"\0")[0].count(b"\n") + 1)
        ]
    try:
        text = raw.decode("utf-8-sig")
        events, zone = _events(_unfolded(text))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return None, [Problem("document", "not UTF-8 text", "save it as UTF-8", "syntax", line)]
    except LineError as error:
        return None, [error.problem]
    found, problems = _covered(events, zone)
    if problems:
        return None, problems
    try:
        return merge(found), ()
    except LineError as error:
        return None, [error.problem]


def _covered(events: Sequence[Event], zone: str) -> tuple[Sequence[Covered], Sequence[Problem]]:
    found: list[Covered] = []
    problems: list[Problem] = []
    counted = 0
    for number, event in enumerate(events):
        counted += event.is_counted
        try:
            if counted > MAX_COUNTED:
                what = f"more than {MAX_COUNTED} events end by a COUNT"
                raise event.begin.error("document", what, "write UNTIL instead", "limit")
            found.append(read_event(event.lines, event.begin, zone))
        except LineError as error:
            problems.append(error.problem.moved(error.problem.line, 1, f"VEVENT[{number}]"))
        if counted > MAX_COUNTED or len(problems) >= MAX_FOUND:
            break
    return found, problems


def _unfolded(text: str) -> Iterator[Line]:
    """The content lines: one that begins with a space goes on with the one before it."""
    parts: list[str] = []
    start = 1
    for number, row in enumerate(text.splitlines(), 1):
        if row[:1] in {" ", "\t"} and parts:
            parts.append(row[1:])
            continue
        if parts:
            yield Line(start, "".join(parts))
        parts, start = ([row], number) if row.strip() else ([], number)
    if parts:
        yield Line(start, "".join(parts))


def _events(lines: Iterator[Line]) -> tuple[Sequence[Event], str]:
    """The events of the file, and the zone that it names for instants in UTC."""
    events: list[Event] = []
    zone, stack = "UTC", list[str]()
    last = 1
    for line in lines:
        last = line.number
        match line.name, stack:
            case "BEGIN", _:
                stack.append(line.rest.upper())
                if stack == ["VCALENDAR", "VEVENT"]:
                    events.append(_event(line, len(events)))
            case "END", _ if stack[-1:] == [line.rest.upper()]:
                stack.pop()
            case "END", _:
                wanted = f"here ends {stack[-1][:40]}" if stack else "nothing is open here"
                raise line.error("END", f"'{line.rest[:40]}' does not end here", wanted, "syntax")
            case "X-WR-TIMEZONE", ["VCALENDAR"]:
                zone = find_zone(line.rest) or zone
            case name, ["VCALENDAR", "VEVENT"] if name in _OF_EVENTS:
                events[-1].lines.setdefault(name, []).append(line)
            case _, []:
                raise line.error("document", "this line is in no component", "", "syntax")
    if stack:
        what = f"the file ends inside {stack[-1][:40]}"
        raise LineError(Problem("document", what, "it is cut off", "syntax", last))
    return events, zone


def _event(line: Line, number: int) -> Event:
    if number >= MAX_EVENTS:
        raise line.error("document", f"more than {MAX_EVENTS} events", "split the calendar", "limit")
    return Event(line)
