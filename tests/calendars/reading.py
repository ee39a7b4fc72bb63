"""Calendars as tests want them: their dates as short texts."""

from datetime import date

from cronny.calendars import dates_of, read_calendar


def dates(text: str | bytes, first: str = "2026-01-01", last: str = "2026-12-31") -> list[str]:
    """The dates of a calendar's text between two days."""
    content, problems = read_calendar(text.encode() if isinstance(text, str) else text)
    assert content is not None, problems
    found = dates_of(content).between(date.fromisoformat(first), date.fromisoformat(last))
    return [day.isoformat() for day, _ in found]


def problems(text: str | bytes) -> list[str]:
    """What is wrong with a text, as `LINE:COLUMN: where: what; hint`."""
    content, found = read_calendar(text.encode() if isinstance(text, str) else text)
    assert (content is None) == bool(found)
    return [problem.render("").removeprefix(":") for problem in found]


def ical(*events: str, head: str = "") -> str:
    """An iCalendar file with events; each is its lines, joined by spaces."""
    parts = "".join("\n".join(["BEGIN:VEVENT", *event.split(), "END:VEVENT", ""]) for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{parts}END:VCALENDAR\n"
