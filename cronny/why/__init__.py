"""Why something happened, did not, or will: a sentence from the ledger, the rule and the events."""

from cronny.why.answer import Answer, Outcome
from cronny.why.asked import Asked, Span, read_asked
from cronny.why.explain import explain
from cronny.why.facts import Change, Facts, Mark, Past, Pause, Tally, Version
from cronny.why.life import mark_of, named_calendars, read_life

__all__ = [
    "Answer",
    "Asked",
    "Change",
    "Facts",
    "Mark",
    "Outcome",
    "Past",
    "Pause",
    "Span",
    "Tally",
    "Version",
    "explain",
    "mark_of",
    "named_calendars",
    "read_asked",
    "read_life",
]
