"""A calendar's text: a list of dates or a country in YAML or JSON, or an iCalendar file."""

from collections.abc import Sequence

from cronny.calendars.content import Content
from cronny.calendars.ical import begins_ical, read_ical
from cronny.calendars.written import read_written
from dsl.document import MAX_BYTES
from dsl.problems import Problem


def read_calendar(raw: bytes) -> tuple[Content | None, Sequence[Problem]]:
    """What a calendar's text says, or everything that is wrong with it."""
    if len(raw) > MAX_BYTES:
        return None, [Problem("document", f"larger than {MAX_BYTES // 1024} KiB", code="too_large")]
    return read_ical(raw) if begins_ical(raw) else read_written(raw)
