"""Where a page of a long list ended, as an opaque text."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime

from cronny.errors import Invalid
from cronny.names import instant_text
from dsl.problems import Problem

Position = tuple[datetime, str]

LONGEST = 200  # characters
_WRITTEN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) ([a-z0-9_]{1,60})", re.ASCII)


def write_cursor(due: datetime, trigger_id: str) -> str:
    """The cursor of the page that follows this trigger."""
    return urlsafe_b64encode(f"{instant_text(due)} {trigger_id}".encode()).decode()


def read_cursor(text: str) -> Position:
    """The due and the id of the last trigger seen; raises Invalid for what no page gave."""
    try:
        written = urlsafe_b64decode(text[:LONGEST].encode()).decode()
        found = _WRITTEN.fullmatch(written)
        if found is not None:
            return datetime.fromisoformat(found[1]), found[2]
    except ValueError:
        pass  # not base64, not text, or no date
    raise not_a_cursor()


def not_a_cursor() -> Invalid:
    """The error of a text that no page gave."""
    hint = "give the `next` of the page before"
    return Invalid([Problem("query.cursor", "this is not a cursor", hint, "cursor")])
